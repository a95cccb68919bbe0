'use strict';

class PaymentRefused extends Error {
  constructor(payment, code, options) {
    super(`payment ${payment.number} refused: ${code}`, options);
    this.name = 'PaymentRefused';
    this.code = code;
    this.payment = payment;
  }
}

const CODES = ['expired_card', 'insufficient_funds', 'do_not_honor'];

function authorize(payment) {
  if (payment.number % 4 !== 3) return { approval: payment.number * 17 };
  try {
    return askIssuer(payment);
  } catch (cause) {
    throw new PaymentRefused(payment, CODES[payment.number % 3], { cause });
  }
}

function askIssuer(payment) {
  throw new RangeError(`issuer: ${payment.card} over its limit`);
}

module.exports = { PaymentRefused, authorize };
