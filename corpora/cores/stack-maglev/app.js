'use strict';

// Hot code in the mid tier, Maglev, with its own inlining; then a handler dies inside the innermost function.
const { die } = require('./die');
const { Item, checkout, handlers, warmUp } = require('./checkout');

function main() {
  handlers.set('negative', (price) => {
    die();
  });
  return checkout([new Item(2.5, 1), new Item(3.5, 12), new Item(-4.5, 2)]);
}

warmUp(20_000);
setTimeout(() => {
  // Whatever was being compiled is ready by now.
  warmUp(1000);
  main();
}, 200);
