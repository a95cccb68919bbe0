'use strict';
// A promise rejected with something that is no Error.
Promise.reject({ status: 503 });
