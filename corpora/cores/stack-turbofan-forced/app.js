'use strict';

// As stack-turbofan, but optimised on demand; stdout holds V8's optimization status of outer() and checkout() at the end.
const { die } = require('./die');
const { Item, checkout, handlers, warmUp } = require('./checkout');

function outer(items) {
  return checkout(items);
}

function optimize(hot) {
  %OptimizeFunctionOnNextCall(hot);
  outer([new Item(1.5, 2), new Item(-1.5, 11)]);
}

%PrepareFunctionForOptimization(outer);
%PrepareFunctionForOptimization(checkout);
warmUp(500);
for (let i = 0; i < 500; i++) outer([new Item(1.5, 2), new Item(-1.5, 11)]);
optimize(checkout);
optimize(outer);

handlers.set('negative', (price) => {
  // Bit "turbofanned": 5 in V8 9.4 and 14.6, 6 in between.
  console.log('status of outer:', %GetOptimizationStatus(outer), 'of checkout:', %GetOptimizationStatus(checkout));
  die();
});
outer([new Item(2.5, 1), new Item(3.5, 12), new Item(-4.5, 2)]);
