'use strict';

// A large response compressed synchronously at the highest level.
const zlib = require('zlib');

const body = Buffer.alloc(64_000_000);
for (let i = 0; i < body.length; i += 4) body.writeUInt32LE((i * 2654435761) % 4093, i);

function compress(buffer) {
  return zlib.brotliCompressSync(buffer, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 11 } });
}

setTimeout(function onRequest() {
  console.log('ready');
  compress(body);
}, 10);
