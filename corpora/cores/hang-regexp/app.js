'use strict';

// Catastrophic backtracking: the expression of a form field, on its first use (still interpreted by V8's regexp engine).
const EMAIL = /^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$/;

function validate(form) {
  return EMAIL.test(form.email);
}

setTimeout(function onSubmit() {
  console.log('ready');
  validate({ email: 'a'.repeat(50) + '!' });
}, 10);
