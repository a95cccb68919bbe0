'use strict';

// JSON.parse of a very large text, one big array of small objects.
function hugeText(rows) {
  return '[' + '{"id":1,"tags":["a","b","c"],"price":12.5,"name":"an item of the catalogue"},'.repeat(rows) + '0]';
}

function importCatalogue(text) {
  return JSON.parse(text);
}

const text = hugeText(200_000);
setTimeout(function onImport() {
  console.log('ready');
  for (;;) importCatalogue(text);
}, 10);
