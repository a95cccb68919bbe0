'use strict';
class PaymentError extends Error { constructor(m, o) { super(m, o); this.name = 'PaymentError'; this.code = 'EPAY'; } }
function charge(a) { try { null.x; } catch (e) { throw new PaymentError('cannot pay ' + a + '\nsecond line', { cause: e }); } }
setTimeout(function pay() { charge(12.5); }, 10);
