'use strict';

// V8's fatal "invalid size": one array longer than an array can be (2^27 elements). The heap is nearly empty and no
// garbage collection would have helped; no exception is thrown either.
function countCharacters(text) {
  return text.split('').length;
}

setTimeout(function onImport() {
  const line = '\t';
  countCharacters(line.repeat(2 ** 27 + 100));
}, 10);
