'use strict';

const rows = [];

class MeterHistory {
  #lastSequence = 0;

  // The leak: every reading ever received stays in `rows`, as an array with its own text.
  append(reading) {
    const sequence = ++this.#lastSequence;
    rows.push([sequence, reading.value, `meter-${reading.meter}/${sequence}`, ['ok', reading.unit]]);
    return sequence;
  }
}

module.exports = { MeterHistory };
