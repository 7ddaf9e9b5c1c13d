// Node's crypto as far as it is pure: what crypto-browserify lacks of it is added.
const crypto = require('crypto-browserify');
const { Buffer } = require('buffer');

// Libraries for tokens hand keys around as objects.
class KeyObject {
  constructor(type, material) {
    this.type = type;
    this.material = material;
  }
  export() {
    return this.material;
  }
}

const PEM = /-----BEGIN ([A-Z ]*)(PRIVATE|PUBLIC) KEY-----|-----BEGIN CERTIFICATE-----/;

function keyFrom(type) {
  return (key) => {
    const text = String(key && key.key ? key.key : key);
    const found = PEM.exec(text);
    if (!found || (type === 'private' && found[2] !== 'PRIVATE')) throw new TypeError(`not a ${type} key in PEM format`);
    const made = new KeyObject(type, text);
    made.asymmetricKeyType = /BEGIN EC /.test(text) ? 'ec' : 'rsa';
    return made;
  };
}

const material = (key) => (key instanceof KeyObject ? key.material : key);

module.exports = {
  ...crypto,
  KeyObject,
  createSecretKey: (key, encoding) => new KeyObject('secret', Buffer.from(key, encoding)),
  createPrivateKey: keyFrom('private'),
  createPublicKey: keyFrom('public'),
  createHmac: (algorithm, key) => crypto.createHmac(algorithm, material(key)),
  timingSafeEqual(a, b) {
    if (a.length !== b.length) throw new RangeError('Input buffers must have the same byte length');
    let difference = 0;
    for (let i = 0; i < a.length; i++) difference |= a[i] ^ b[i];
    return difference === 0;
  },
  randomUUID: () => globalThis.crypto.randomUUID(),
  webcrypto: globalThis.crypto,
};
for (const name of ['createSign', 'createVerify']) {
  module.exports[name] = (algorithm) => {
    const signer = crypto[name](algorithm);
    const method = name === 'createSign' ? 'sign' : 'verify';
    const run = signer[method];
    signer[method] = (key, ...rest) =>
      run.call(signer, key && key.key ? { ...key, key: material(key.key) } : material(key), ...rest);
    return signer;
  };
}
