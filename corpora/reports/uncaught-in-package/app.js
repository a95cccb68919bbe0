'use strict';
// The error is thrown inside a package; the first frame of the application's own code is further out.
const { render } = require('./node_modules/tiny-template');
function showCart(cart) { return render('{{total}}', cart); }
setTimeout(() => showCart(null), 5);
