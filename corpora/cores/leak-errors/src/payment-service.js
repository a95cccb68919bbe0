'use strict';

const { metrics, recent } = require('./platform');
const { authorize } = require('./card-network');
const { noteFailure } = require('./failure-log');

class PaymentService {
  async pay(payment) {
    try {
      const { approval } = authorize(payment);
      recent.push(approval);
      metrics.observe('paid', payment.amount);
    } catch (error) {
      noteFailure(error);
      metrics.observe('refused', payment.amount);
    }
  }
}

module.exports = { PaymentService };
