'use strict';
// Without environment and network, as careful people want it.
function charge() { throw new TypeError('amount is not a number'); }
setTimeout(charge, 5);
