'use strict';

// Busy JavaScript: validate() compares every pair of rows, and there are too many of them.
class Row {
  constructor(id) {
    this.id = id;
    this.amount = (id * 7919) % 10007;
  }
}

function conflicts(a, b) {
  return a.id !== b.id && a.amount === -b.amount;
}

function validate(rows) {
  let found = 0;
  for (const a of rows) {
    for (const b of rows) {
      if (conflicts(a, b)) found++;
    }
  }
  return found;
}

function onUpload(rows) {
  console.log('ready');
  console.log('conflicts:', validate(rows));
}

setTimeout(onUpload, 10, Array.from({ length: 200_000 }, (_, id) => new Row(id)));
