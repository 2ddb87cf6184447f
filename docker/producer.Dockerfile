# A device program: upload.mjs beside this file's build context, and what it streams.
#   docker build --file docker/producer.Dockerfile --tag camera .
#   docker run --init --read-only --stop-timeout 30 --device /dev/video0 --env-file camera.env camera
FROM node:22-bookworm-slim
ENV NODE_ENV=production
WORKDIR /app
COPY package.json package-lock.json ./
RUN npm ci --omit=dev --omit=optional --ignore-scripts && npm cache clean --force
COPY upload.mjs ./
USER node
CMD ["node", "upload.mjs"]
