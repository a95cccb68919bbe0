'use strict';
// Not the heap limit: one array that is larger than what a single allocation may be.
function countLetters(text) { return text.split('').length; }
countLetters('x'.repeat(2 ** 28));
