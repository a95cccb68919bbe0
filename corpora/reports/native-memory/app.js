'use strict';
// Memory that V8 knows nothing of: key objects of OpenSSL.
const { createSecretKey, createPrivateKey, generateKeyPairSync, X509Certificate } = require('crypto');
const keys = [];
const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048, privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' } });
for (let i = 0; i < 60000; i++) keys.push(createPrivateKey(privateKey));
process.report.writeReport('report.json');
process.exit(0);
