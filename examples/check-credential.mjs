// Checks an eligibility credential with nothing but `jose` and the issuer's JWKS, as any relying party can:
//   node check-credential.mjs JWKS.json ISSUER AUDIENCE PURPOSE LEASE|- POLICY-DIGEST < credential.jwt
// Whoever presents it must also prove the key named in `cnf.jkt`; without that it is advice.
import { readFileSync } from 'node:fs'
import { createLocalJWKSet, jwtVerify } from 'jose'

const [jwks, issuer, audience, purpose, lease, policy, at] = process.argv.slice(2)
const longest = { posture: '6h', lease: '30m', 'key-release': '2m' }[purpose]
const { payload } = await jwtVerify(readFileSync(0, 'utf8').trim(), createLocalJWKSet(JSON.parse(readFileSync(jwks))), {
  ...{ issuer, audience, typ: 'eat+jwt', algorithms: ['ES256', 'EdDSA'], maxTokenAge: longest },
  requiredClaims: ['iss', 'sub', 'aud', 'iat', 'exp', 'jti', 'cnf', 'vouchsafe'],
  ...(at === undefined ? {} : { currentDate: new Date(at) }),
})
const { vouchsafe, sub, cnf } = payload
if (vouchsafe.purpose !== purpose || vouchsafe.lease !== (lease === '-' ? null : lease) || vouchsafe.policy !== policy)
  throw new Error('a credential for something else')
console.log(JSON.stringify({ provider: sub, level: vouchsafe.level, gpu: vouchsafe.gpu, holder: cnf.jkt }))
