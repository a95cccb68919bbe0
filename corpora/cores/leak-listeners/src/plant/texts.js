'use strict';

const texts = Object.create(null);
for (const language of ['en', 'de', 'pl', 'tr']) {
  for (let code = 0; code < 600; code++) {
    texts[`${language}.${code}`] = { title: `${language}: message ${code}`, help: `See chapter ${code % 40} of the manual (${language}).` };
  }
}

module.exports = texts;
