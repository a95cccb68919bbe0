'use strict';

// An uncaught exception under --abort-on-uncaught-exception: V8 aborts at the throw, before the stack is unwound.
class PaymentError extends Error {
  constructor(amount) {
    super(`cannot pay ${amount}`);
    this.code = 'E_PAYMENT';
    this.amount = amount;
  }
}

function pay(order) {
  if (order.total > order.credit) throw new PaymentError(order.total);
}

function onOrder(order) {
  pay(order);
}

setTimeout(onOrder, 10, { total: 12.5, credit: 10 });
