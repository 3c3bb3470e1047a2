"""What the exchange imitates of Plivo's texts. What is assumed is a checklist for one supervised live text."""

from ivr.carrier.behaviours import Behaviour

TEXT_FIELDS = Behaviour(
    "text-fields",
    "documented",
    "A text posts MessageUUID, From, To, Text, Type=sms, Units, TotalRate, TotalAmount, MessageIntent, PowerpackUUID.",
    "messaging/api/message/handling-incoming",
)
PICTURES = Behaviour(
    "text-with-pictures",
    "documented",
    "One with pictures has Type=mms, its words in Body and not in Text, MediaCount, and Media0, Media1, ...",
    "messaging/api/message/handling-incoming",
)
TEXT_SIGNED = Behaviour(
    "text-signed",
    "assumed",
    "X-Plivo-Signature-Ma-V3 signs a text as it does a call's webhook; X-Plivo-Signature-V3 is there and fits nothing.",
    "messaging/concepts/signature-validation names V2 only, which leaves the body unsigned; public code of somebody at"
    " Plivo says that Ma-V3 was observed in live traffic",
)
TEXT_TIMEOUT = Behaviour(
    "text-timeout",
    "documented",
    "A text that is not answered within 8 seconds has failed.",
    "support: Will Plivo retry callbacks if the message_url is not reachable",
)
TEXT_RETRIED = Behaviour(
    "text-retried",
    "documented",
    "A text that failed, or was not answered with 2xx, is posted again after 60, 120 and 240 seconds, then no more.",
    "support: Will Plivo retry callbacks if the message_url is not reachable",
)
TEXT_SAME_ID = Behaviour(
    "text-same-id",
    "assumed",
    "Each delivery of a text is the same request, MessageUUID, nonce and signature included.",
    "the page does not say; of its MessageUUID only that it is unique",
)
TEXT_UNORDERED = Behaviour(
    "text-unordered",
    "assumed",
    "A text may be delivered late, twice, and after one that was written later.",
    "nothing promises more",
)
RESERVED = Behaviour(
    "text-reserved",
    "documented",
    "On a US number STOP, HELP and START, their like, in any case, alone, are optout, help and optin: MessageIntent.",
    "messaging/concepts/dnd-service; handling-incoming",
)
RESERVED_DELIVERED = Behaviour(
    "text-reserved-delivered",
    "assumed",
    "They are delivered to us like any other text.",
    "MessageIntent would say nothing otherwise: TextRules.reserved_are_delivered",
)
RESERVED_ANSWERED = Behaviour(
    "text-reserved-answered",
    "documented",
    "Plivo itself answers optout, help, and an optin that undoes an optout.",
    "messaging/concepts/dnd-service; that it answers an optin is assumed",
)
OPTED_OUT = Behaviour(
    "text-opted-out",
    "documented",
    "To whoever opted out nothing is sent until she opts in: a request is taken (202), and its text fails, error 200.",
    "messaging/concepts/dnd-service; that the request is taken is how the page's 'marked failed' is read",
)
ACKNOWLEDGED = Behaviour(
    "text-acknowledged",
    "documented",
    "One text that leaves within five minutes of an optout is sent all the same.",
    "support: Can I reply to customers who have opted out: TextRules.acknowledges",
)
TEXT_REQUESTED = Behaviour(
    "text-requested",
    "documented",
    "POST Message/ is answered with 202, a message and a list with one message_uuid.",
    "messaging/api/message/send-a-message",
)
TEXT_LENGTH = Behaviour(
    "text-length",
    "documented",
    "A text has 1,600 characters at most, or 737 where one of them is not of GSM-7.",
    "messaging/api/message/send-a-message, text",
)
TEXT_REFUSED = Behaviour(
    "text-refused",
    "assumed",
    "A text that is too long, to no number, from another than ours or to itself is answered with 400, and not sent.",
    "400 is documented for bad requests, not which these are",
)
TEXT_LOG = Behaviour(
    "text-log",
    "documented",
    "Unless log is false Plivo logs words and number of a text; number_only and content_only are known too.",
    "messaging/concepts/sms-data-redaction",
)
TEXT_XML = Behaviour(
    "text-xml",
    "documented",
    "Each Message of the document that answers a text is sent; there is no other element, and none against the log.",
    "messaging/xml/request; messaging/xml/message",
)

BEHAVIOURS: tuple[Behaviour, ...] = tuple(value for value in vars().values() if isinstance(value, Behaviour))
