'use strict';

// A meter reading service that keeps its history in memory: an array of arrays and strings, filled by async code.
const { setImmediate: nextTurn } = require('timers/promises');
const { MeterHistory } = require('./history');

async function* readings() {
  for (let i = 0; ; i++) {
    if (i % 10_000 === 0) await nextTurn();
    yield { meter: i % 500, value: i / 7, unit: 'kWh' };
  }
}

async function ingest(history) {
  for await (const reading of readings()) {
    history.append(reading);
  }
}

async function main() {
  await ingest(new MeterHistory());
}

main();
