'use strict';

// A recursive descent parser for sums and products. A letter is a bug in the input, and the end of the process.
const { die } = require('./die');

class Tokens {
  constructor(text) {
    this.text = text;
    this.at = 0;
  }

  peek() {
    return this.text[this.at];
  }

  take() {
    return this.text[this.at++];
  }
}

function parseSum(tokens, depth) {
  let sum = parseProduct(tokens, depth);
  while (tokens.peek() === '+') {
    tokens.take();
    sum += parseProduct(tokens, depth);
  }
  return sum;
}

const parseProduct = (tokens, depth) => {
  let product = parseFactor(tokens, depth);
  for (; tokens.peek() === '*'; ) {
    tokens.take(), product *= parseFactor(tokens, depth);
  }
  return product;
};

const parseFactor = function (tokens, depth) {
  const token = tokens.take();
  if (token === '(') {
    const inner = parseSum(tokens, depth + 1); tokens.take();
    return inner;
  }
  return parseNumber(token, depth);
};

function parseNumber(token, depth = 0) {
  if (token < '0' || token > '9') die();
  return Number(token);
}

function parse(text) {
  return parseSum(new Tokens(text), 0);
}

module.exports = { parse };
