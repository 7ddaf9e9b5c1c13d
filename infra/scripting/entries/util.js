const { Buffer } = require('buffer');

class TextEncoder {
  encode(text = '') {
    return new Uint8Array(Buffer.from(String(text), 'utf8'));
  }
}

class TextDecoder {
  constructor(encoding = 'utf-8') {
    if (!/^utf-?8$/i.test(encoding)) throw new RangeError(`TextDecoder knows utf-8 only: use iconv-lite for ${encoding}`);
  }
  decode(bytes = []) {
    const view = ArrayBuffer.isView(bytes) ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength) : Buffer.from(bytes);
    return view.toString('utf8').replace(/^\ufeff/, '');
  }
}

module.exports = { ...require('util/'), TextEncoder, TextDecoder };
