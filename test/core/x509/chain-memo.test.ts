import { describe, expect, it } from 'vitest'
import type { NonEmpty } from '../../../src/core/outcome.ts'
import type { Certificate } from '../../../src/core/x509/certificate.ts'
import { ChainMemo } from '../../../src/core/x509/chain-memo.ts'
import { type PathProfile, validatePath } from '../../../src/core/x509/path.ts'
import { codesOf, valueIn } from '../support.ts'
import { ANCHOR, anchorOf, certificateOf, contextAt, decoded, KEYS, PROFILE } from './pki.ts'

const [leaf, sub, top] = (['leaf', 'sub', 'top'] as const).map((level) => decoded(certificateOf(level))) as [
  Certificate,
  Certificate,
  Certificate,
]

describe('ChainMemo', () => {
  it('remembers exactly the certificates that it was given, in their order', () => {
    const memo = new ChainMemo<string>()
    expect(memo.get([leaf, sub, top])).toBeUndefined()
    expect(memo.set([leaf, sub, top], 'found')).toBe('found')
    expect(memo.get([leaf, sub, top])).toBe('found')
    const others: readonly NonEmpty<Certificate>[] = [
      [leaf],
      [leaf, sub],
      [leaf, top, sub],
      [leaf, sub, top, top],
      [sub, leaf, top],
      [leaf, sub, decoded(certificateOf('top'))],
    ]
    for (const other of others) expect(memo.get(other)).toBeUndefined()
  })

  it('keeps one chain per leaf', () => {
    const memo = new ChainMemo<string>()
    memo.set([leaf, sub], 'first')
    memo.set([leaf, sub, top], 'second')
    expect([memo.get([leaf, sub]), memo.get([leaf, sub, top])]).toEqual([undefined, 'second'])
  })
})

/** The very same decoded certificates each time, as a cache hands them out. */
describe('a path that was valid before', () => {
  const validated = (
    chain: NonEmpty<Certificate>,
    { profile = PROFILE, anchors = [ANCHOR] }: { profile?: PathProfile; anchors?: readonly (typeof ANCHOR)[] } = {},
  ) => validatePath(contextAt(), 'evidence', chain, [], anchors, profile, 'path')

  it('is judged anew under another profile, under other anchors and with another issuer', async () => {
    const chain: NonEmpty<Certificate> = [leaf, sub, top]
    for (let i = 0; i < 2; i++) valueIn(await validated(chain))
    const strict: PathProfile = { ...PROFILE, algorithms: ['PS384'] }
    expect(codesOf(await validated(chain, { profile: strict }))).toEqual(['X509_ALGORITHM_FORBIDDEN'])
    const none = { ...ANCHOR, subject: leaf.subject.der }
    expect(codesOf(await validated(chain, { anchors: [none] }))).toEqual(['X509_ROOT_UNTRUSTED'])
    const impostor = anchorOf(certificateOf('root', { publicKey: KEYS.stranger }))
    expect(codesOf(await validated(chain, { anchors: [impostor] }))).toEqual(['X509_SIGNATURE_INVALID'])
    const forged = decoded(certificateOf('sub', { publicKey: KEYS.stranger }))
    expect(codesOf(await validated([leaf, forged, top]))).toEqual(['X509_SIGNATURE_INVALID'])
    const noCa = decoded(certificateOf('sub', { extensions: [] }))
    expect(codesOf(await validated([leaf, noCa, top]))).toEqual(['X509_NOT_CA'])
    valueIn(await validated(chain))
  })

  it('is refused again for what it was refused for', async () => {
    const chain: NonEmpty<Certificate> = [leaf, decoded(certificateOf('sub', { extensions: [] })), top]
    for (let i = 0; i < 2; i++) expect(codesOf(await validated(chain))).toEqual(['X509_NOT_CA'])
  })
})
