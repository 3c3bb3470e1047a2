# By digest (3.11.16, all platforms), so that nobody exchanges it. A new one: docker buildx imagetools inspect python:3.11-slim
FROM python:3.11-slim@sha256:e41613d42d4891e4930f79523f93f81bbc7632584ec65e36ab055f41a800b41e
WORKDIR /app
COPY requirements.lock ./
RUN pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE ./
COPY ivr ivr
RUN pip install --no-cache-dir --no-deps --no-build-isolation . \
    && useradd --uid 10001 --no-create-home porchlight \
    && install -d -m 0700 -o porchlight -g porchlight /var/lib/porchlight /run/porchlight
USER porchlight
EXPOSE 8000
ENTRYPOINT ["ivr"]
CMD ["serve", "--host", "0.0.0.0"]
