import { createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import { certificate, der, ext, name, pem, type TestKey } from '../../src/testing/index.ts'

interface Issuer {
  readonly subject: Uint8Array
  readonly signer: TestKey
}

export interface TlsIdentity {
  readonly key: string
  readonly cert: string
}

function newKey(): { readonly signer: TestKey; readonly pkcs8: string } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pkcs8 = String(pair.privateKey.export({ type: 'pkcs8', format: 'pem' }))
  const signer: TestKey = {
    kind: 'P-256',
    spki: new Uint8Array(pair.publicKey.export({ type: 'spki', format: 'der' })),
    sign: (message) => new Uint8Array(sign('sha256', message, createPrivateKey(pkcs8))),
    signRaw: () => new Uint8Array(),
  }
  return { signer, pkcs8 }
}

const CA_NAME = name([['CN', 'Test authority of the web']])
const VALID = { notBefore: '2020-01-01T00:00:00Z', notAfter: '2049-01-01T00:00:00Z' }
const CA_KEY = newKey()
const CA: Issuer = { subject: CA_NAME, signer: CA_KEY.signer }

/** The authority that the clients of these tests trust, PEM. */
export const WEB_AUTHORITY: string = pem([
  certificate({
    ...VALID,
    serial: 1,
    issuer: CA_NAME,
    subject: CA_NAME,
    publicKey: CA.signer,
    signer: CA.signer,
    extensions: [ext.basicConstraints(true), ext.keyUsage(['keyCertSign'])],
  }),
])

const dnsName = (host: string): Uint8Array => der.tagged(2, der.ia5(host), { explicit: false })

/** A server certificate for these hosts. */
export function webIdentity(hosts: readonly string[], issuer: Issuer = CA): TlsIdentity {
  const { signer, pkcs8 } = newKey()
  const cert = certificate({
    ...VALID,
    serial: 2,
    issuer: issuer.subject,
    subject: name([['CN', hosts[0] ?? '']]),
    publicKey: signer,
    signer: issuer.signer,
    extensions: [
      ext.basicConstraints(false),
      ext.keyUsage(['digitalSignature']),
      ext.custom('2.5.29.17', der.seq(...hosts.map(dnsName))),
    ],
  })
  return { key: pkcs8, cert: pem([cert]) }
}

/** One that nobody vouches for. */
export const strangerIdentity = (hosts: readonly string[]): TlsIdentity =>
  webIdentity(hosts, { subject: name([['CN', 'Nobody']]), signer: newKey().signer })
