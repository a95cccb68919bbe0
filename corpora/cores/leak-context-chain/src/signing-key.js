'use strict';

let activeKey = null;
let serial = 0;

// The leak: `retire` is never called, but it needs `previousKey`; `sign` lives in the same scope, so each key keeps the
// scope that keeps the key before it.
function rotateKey() {
  const previousKey = activeKey;
  const retire = () => {
    if (previousKey) previousKey.retiredAt = Date.now();
  };
  activeKey = {
    serial: ++serial,
    material: Array.from({ length: 160 }, (_, i) => (serial * 31 + i * 17) & 0xff),
    retiredAt: null,
    sign: (text) => `${text}.${(serial * 2_654_435_761) >>> 0}`,
  };
  return retire.length;
}

module.exports = { rotateKey, sign: (text) => activeKey.sign(text) };
