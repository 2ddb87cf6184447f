# The service, its streams in the volume /data.
#   docker build --file docker/service.Dockerfile --tag kvs-service .
#   docker run --init --publish 127.0.0.1:8443:8443 --volume kvs:/data kvs-service
FROM node:22-bookworm-slim
ARG KINESIS_VIDEO=0.1.0
ENV NODE_ENV=production
RUN npm install --global --ignore-scripts "kinesis-video@${KINESIS_VIDEO}" \
  && npm cache clean --force \
  && install -d -o node -g node /data
USER node
VOLUME /data
EXPOSE 8443
HEALTHCHECK --start-period=60s CMD ["node", "-e", "fetch('http://127.0.0.1:8443/ready').then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))"]
CMD ["kvs", "serve", "--host", "0.0.0.0", "--port", "8443", "--data-dir", "/data", "--credentials", "/data/credentials.json"]
