import { describe, expect, it } from 'vitest'
import { canonicalJson, type Json } from '../../src/core/json.ts'
import { PRESET_NAMES, parsePolicy, presetPolicy } from '../../src/policy/index.ts'
import {
  DIGEST,
  documentWith,
  documentWithGpu,
  GPU,
  HOST_DATA,
  MINIMAL,
  parsed,
  policyOf,
  SIGNER,
  told,
} from './support.ts'

const accepted = (document: unknown) => expect(told(parsed(document))).toEqual([])
const refused = (document: unknown, ...faults: string[]) => expect(told(parsed(document))).toEqual(faults)
const SNP = '/require/cpu/any/0'

/** A refused document beside its accepted twin: they differ in one thing. */
const pair = (good: unknown, bad: unknown, ...faults: string[]) => {
  accepted(good)
  refused(bad, ...faults)
}

const text = (document: unknown) => JSON.stringify(document)

describe('rows of the must-reject catalogue, area POL', () => {
  it('RJ-POL-01 empty policy', () => {
    refused({}, 'POLICY_EMPTY ')
    refused({ version: 1 }, 'POLICY_EMPTY /require')
    refused({ version: 1, name: 'x' }, 'POLICY_EMPTY /require')
    pair(MINIMAL, { ...MINIMAL, require: {} }, 'POLICY_EMPTY /require')
    accepted({ version: 1, name: 'x', extends: 'cpu-confidential' })
  })

  it('RJ-POL-02 unknown key, with the nearest one', () => {
    const outcome = parsed(documentWith({ measurment: [DIGEST] }))
    expect(outcome).toMatchObject({
      ok: false,
      faults: [
        { code: 'POLICY_UNKNOWN_KEY', path: `${SNP}/measurment`, expected: 'measurements', actual: 'measurment' },
      ],
    })
    accepted(documentWith({ measurements: [DIGEST] }))
    const top = parsed({ ...MINIMAL, freshnes: { maxAgeSeconds: 5 } })
    expect(top).toMatchObject({ faults: [{ path: '/freshnes', expected: 'freshness' }] })
    const far = parsed(documentWith({ zebra: 1 }))
    expect(far).toMatchObject({
      faults: [{ code: 'POLICY_UNKNOWN_KEY', expected: expect.stringContaining('one of platform, products') }],
    })
  })

  it('RJ-POL-03 no measurement named while asking for key release', () => {
    const members = { keyRelease: { minLevel: 3 }, acceptRisks: ['open-quote-oracle'] }
    pair(
      documentWith({ measurements: [DIGEST] }, members),
      documentWith({}, members),
      `POLICY_MEASUREMENT_REQUIRED ${SNP}/measurements`,
    )
    accepted(documentWith({}, { keyRelease: {}, referenceValues: { signers: [SIGNER] } }))
  })

  it('RJ-POL-04 empty allow-list', () => {
    pair(
      documentWith({ measurements: [DIGEST] }),
      documentWith({ measurements: [] }),
      `POLICY_LIST_EMPTY ${SNP}/measurements`,
    )
    refused(documentWith({}, {}, { cpu: { any: [] } }), 'POLICY_LIST_EMPTY /require/cpu/any')
    refused(documentWith({ products: [] }), `POLICY_LIST_EMPTY ${SNP}/products`)
    refused(documentWith({ vmpl: [] }), `POLICY_LIST_EMPTY ${SNP}/vmpl`)
    refused(documentWithGpu({ denyDrivers: [] }), 'POLICY_LIST_EMPTY /require/gpu/denyDrivers')
    refused(documentWith({}, { acceptRisks: [] }), 'POLICY_LIST_EMPTY /acceptRisks')
    refused(documentWith({}, { referenceValues: { signers: [] } }), 'POLICY_LIST_EMPTY /referenceValues/signers')
  })

  it('RJ-POL-05 wrong type, or one that could be converted', () => {
    const at = '/require/level'
    for (const level of ['1', 'true', null, true, [1], { level: 1 }]) {
      refused(documentWith({}, {}, { level }), `POLICY_TYPE ${at}`)
    }
    const spelled = (level: string) => text(documentWith({}, {}, { level: 7 })).replace('7', level)
    accepted(spelled('1'))
    for (const level of ['1.0', '1e0', '1.0e0', '1E+0']) refused(spelled(level), `POLICY_TYPE ${at}`)
    refused(documentWith({ guestPolicy: true }), `POLICY_TYPE ${SNP}/guestPolicy`)
    refused(documentWith({ guestPolicy: { debug: false } }), `POLICY_TYPE ${SNP}/guestPolicy/debug`)
    refused(documentWith({ measurements: DIGEST }), `POLICY_TYPE ${SNP}/measurements`)
    refused(documentWith({ measurements: [17] }), `POLICY_TYPE ${SNP}/measurements/0`)
    refused(documentWithGpu({ unique: 'true' }), 'POLICY_TYPE /require/gpu/unique')
    refused([MINIMAL], 'POLICY_TYPE ')
    refused('null', 'POLICY_TYPE ')
  })

  it('RJ-POL-06 hexadecimal of the wrong form', () => {
    const bad = [
      DIGEST.slice(1),
      `${DIGEST}0`,
      DIGEST.toUpperCase(),
      `0x${DIGEST.slice(2)}`,
      `sha384:${DIGEST}`,
      ` ${DIGEST.slice(1)}`,
      '',
    ]
    for (const digest of bad) {
      pair(
        documentWith({ measurements: [DIGEST] }),
        documentWith({ measurements: [digest] }),
        `POLICY_HEX ${SNP}/measurements/0`,
      )
    }
    refused(documentWith({ hostData: [DIGEST] }), `POLICY_HEX ${SNP}/hostData/0`)
    refused(documentWith({ chipIds: ['ab'.repeat(9)] }), `POLICY_HEX ${SNP}/chipIds/0`)
    accepted(documentWith({ chipIds: ['ab'.repeat(8), 'ab'.repeat(64)] }))
    refused(documentWithGpu({ deviceIds: ['41ff'] }), 'POLICY_HEX /require/gpu/deviceIds/0')
  })

  it('RJ-POL-07 duplicate key', () => {
    const twice = text(documentWith({ minTcb: { snp: 23 } })).replace('"minTcb":', '"minTcb":{"snp":1},"minTcb":')
    pair(documentWith({ minTcb: { snp: 23 } }), twice, `JSON_DUPLICATE_KEY ${SNP}/minTcb`)
  })

  it('RJ-POL-08 too large, too deep, too many rules', () => {
    const padded = (bytes: number) => text(MINIMAL).padEnd(bytes, ' ')
    pair(padded(65536), padded(65537), 'LIMIT_POLICY ')
    refused(new TextDecoder().decode(new Uint8Array(3_000_000).fill(0x20)), 'LIMIT_POLICY ')
    refused(`${'['.repeat(40)}${']'.repeat(40)}`, `LIMIT_POLICY ${'/0'.repeat(32)}`)
    const values = (n: number) =>
      documentWith({}, { comment: 'x' }, { physical: Array.from({ length: n }, (_, i) => `${i}`) })
    expect(told(parsed(values(600)))).toEqual(['LIMIT_POLICY '])
    expect(told(parsed(values(400)))).toContain('POLICY_VALUE_INVALID /require/physical/0')
    const many = (n: number) =>
      documentWith({}, {}, { cpu: { any: Array.from({ length: n }, () => ({ platform: 'amd/snp' })) } })
    pair(many(8), many(9), 'LIMIT_POLICY /require/cpu/any')
  })

  it('RJ-POL-09 inherited names as keys', () => {
    for (const key of ['__proto__', 'constructor', 'toString', 'hasOwnProperty']) {
      const withKey = text(MINIMAL).replace('"version"', `"${key}":{"level":1},"version"`)
      pair(MINIMAL, withKey, `POLICY_UNKNOWN_KEY /${key}`)
      const deeper = text(MINIMAL).replace('"platform"', `"${key}":1,"platform"`)
      refused(deeper, `POLICY_UNKNOWN_KEY ${SNP}/${key}`)
    }
  })

  it('RJ-POL-10 regular expression or wildcard', () => {
    for (const pattern of ['^.*$', '*', 'a?', '[0-9]+', 'H100|H200', '>=550']) {
      pair(
        documentWith({ measurements: [DIGEST] }),
        documentWith({ measurements: [pattern] }),
        `POLICY_PATTERN_FORBIDDEN ${SNP}/measurements/0`,
      )
      refused(documentWithGpu({ models: [pattern] }), 'POLICY_PATTERN_FORBIDDEN /require/gpu/models/0')
      refused(documentWithGpu({ minDriver: pattern }), 'POLICY_PATTERN_FORBIDDEN /require/gpu/minDriver')
      refused(documentWith({ measurements: pattern }), `POLICY_PATTERN_FORBIDDEN ${SNP}/measurements`)
    }
  })

  it('RJ-POL-11 address or file path', () => {
    for (const url of [
      'https://example.org/rv.json',
      'file:rv.json',
      '/etc/rv.json',
      './rv.json',
      '../rv.json',
      '~/rv.json',
      'C:\\rv.json',
    ]) {
      pair(
        documentWith({ measurements: [DIGEST] }),
        documentWith({ measurements: [url] }),
        `POLICY_URL_FORBIDDEN ${SNP}/measurements/0`,
      )
      refused(documentWith({}, { referenceValues: url }), 'POLICY_URL_FORBIDDEN /referenceValues')
      refused(documentWith({}, { name: url }), 'POLICY_URL_FORBIDDEN /name')
      refused(documentWith({}, { extends: url }), 'POLICY_URL_FORBIDDEN /extends')
      refused(documentWith({}, { $schema: url }), 'POLICY_URL_FORBIDDEN /$schema')
    }
  })

  it('RJ-POL-12 rules that exclude one another', () => {
    const smt = (bit: string) => documentWith({ guestPolicy: { smt: 'forbidden' }, platformInfo: { smtEnabled: bit } })
    pair(smt('forbidden'), smt('required'), `POLICY_UNSATISFIABLE ${SNP}/platformInfo/smtEnabled`)
    const rapl = (bit: string) =>
      documentWith({ guestPolicy: { raplDisabled: 'required' }, platformInfo: { raplDisabled: bit } })
    pair(rapl('required'), rapl('forbidden'), `POLICY_UNSATISFIABLE ${SNP}/platformInfo/raplDisabled`)
    const hiding = (bit: string) =>
      documentWith({
        guestPolicy: { ciphertextHiding: 'required' },
        platformInfo: { ciphertextHidingDramEnabled: bit },
      })
    pair(hiding('any'), hiding('forbidden'), `POLICY_UNSATISFIABLE ${SNP}/platformInfo/ciphertextHidingDramEnabled`)
    const chips = (signingKeys: string[]) => documentWith({ chipIds: ['ab'.repeat(64)], signingKeys })
    pair(chips(['vcek', 'vlek']), chips(['vlek']), `POLICY_UNSATISFIABLE ${SNP}/chipIds`)
    const clouds = (signingKeys: string[]) => documentWith({ cspIds: ['CN=cc-us-east-2.amazonaws.com'], signingKeys })
    pair(clouds(['vlek']), clouds(['vcek']), `POLICY_UNSATISFIABLE ${SNP}/cspIds`)
    const board = (count: unknown) => documentWithGpu({ modes: ['PPCIE'], count })
    const hopper = (count: number, modes: string | string[], members: Record<string, unknown> = {}) =>
      documentWithGpu({ count, modes }, members)
    const accepting = { acceptRisks: ['plain-nvlink'] }
    pair(hopper(8, ['SPT', 'PPCIE']), hopper(8, ['SPT']), 'POLICY_UNSATISFIABLE /require/gpu/modes')
    pair(hopper(8, ['SPT'], accepting), hopper(8, ['SPT', 'MPT']), 'POLICY_UNSATISFIABLE /require/gpu/modes')
    pair(hopper(8, 'any'), hopper(4, 'any'), 'POLICY_UNSATISFIABLE /require/gpu/count')
    pair(hopper(4, 'any', accepting), hopper(4, ['SPT', 'PPCIE']), 'POLICY_UNSATISFIABLE /require/gpu/count')
    pair(
      documentWithGpu({ count: 4, models: ['B200', 'H100'] }),
      hopper(2, 'any'),
      'POLICY_UNSATISFIABLE /require/gpu/count',
    )
    pair(board(8), board(4), 'POLICY_UNSATISFIABLE /require/gpu/count')
    const tdisp = (models: unknown) => documentWithGpu({ binding: 'tdisp', models })
    pair(tdisp(['B200', 'H100']), tdisp(['H100', 'H200']), 'POLICY_UNSATISFIABLE /require/gpu/binding')
  })

  it('RJ-POL-12 levels and statements that nobody could reach', () => {
    const signers = { referenceValues: { signers: [SIGNER] } }
    const level = (n: number, snp = {}, members = {}) => documentWith(snp, members, { level: n })
    pair(level(3, { measurements: [DIGEST] }), level(3), 'POLICY_UNSATISFIABLE /require/level')
    pair(level(3, {}, signers), level(3), 'POLICY_UNSATISFIABLE /require/level')
    pair(level(4, {}, signers), level(4, { measurements: [DIGEST] }), 'POLICY_UNSATISFIABLE /require/level')
    pair(
      documentWithGpu({ binding: 'measured-guest' }, signers),
      documentWithGpu({ binding: 'measured-guest' }),
      'POLICY_UNSATISFIABLE /require/gpu/binding',
    )
    pair(
      documentWithGpu({ devtools: 'excluded', binding: 'measured-guest' }, signers),
      documentWithGpu({ devtools: 'excluded', binding: 'shared-nonce' }, signers),
      'POLICY_UNSATISFIABLE /require/gpu/devtools',
    )
    const release = (members: object) =>
      documentWith({ measurements: [DIGEST] }, { keyRelease: { minLevel: 5 }, ...members })
    pair(release(signers), release({}), 'POLICY_UNSATISFIABLE /keyRelease/minLevel')
  })

  it('RJ-POL-13 number out of range', () => {
    const svn = (n: string) => text(documentWith({ minGuestSvn: 7 })).replace('7', n)
    accepted(svn('4294967295'))
    const bad = ['-1', '-0', '4294967296', '9007199254740993', '9007199254740992', '1'.repeat(400)]
    for (const n of bad) refused(svn(n), `POLICY_NUMBER_RANGE ${SNP}/minGuestSvn`)
    refused(documentWith({}, { freshness: { maxAgeSeconds: 0 } }), 'POLICY_NUMBER_RANGE /freshness/maxAgeSeconds')
    pair(
      documentWith({}, { freshness: { maxAgeSeconds: 120 } }),
      documentWith({}, { freshness: { maxAgeSeconds: 121 } }),
      'POLICY_NUMBER_RANGE /freshness/maxAgeSeconds',
    )
    pair(
      documentWithGpu({ count: 16, models: 'any' }),
      documentWithGpu({ count: 17, models: 'any' }),
      'POLICY_NUMBER_RANGE /require/gpu/count',
    )
    refused(documentWithGpu({ count: 0 }), 'POLICY_NUMBER_RANGE /require/gpu/count')
    refused(documentWith({ vmpl: [4] }), `POLICY_NUMBER_RANGE ${SNP}/vmpl/0`)
    refused(documentWith({ minTcb: { snp: 256 } }), `POLICY_NUMBER_RANGE ${SNP}/minTcb/snp`)
    refused(documentWith({}, {}, { level: 6 }), 'POLICY_NUMBER_RANGE /require/level')
  })

  it('RJ-POL-18 version unknown', () => {
    const { version: _, ...none } = MINIMAL
    for (const bad of [{ ...MINIMAL, version: 2 }, { ...MINIMAL, version: '1' }, { ...MINIMAL, version: null }, none]) {
      pair(MINIMAL, bad, 'POLICY_VERSION /version')
    }
  })

  it('RJ-POL-22 a product refused by default, not acknowledged', () => {
    const milan = documentWith({ products: ['Milan', 'Genoa'] })
    pair({ ...milan, acceptRisks: ['milan-seed-extraction'] }, milan, `POLICY_ACKNOWLEDGEMENT_MISSING ${SNP}/products`)
    refused({ ...milan, acceptRisks: ['plain-nvlink'] }, `POLICY_ACKNOWLEDGEMENT_MISSING ${SNP}/products`)
  })

  it('RJ-POL-23 not strict JSON', () => {
    const bytes = new TextEncoder().encode(text(MINIMAL))
    accepted(text(MINIMAL))
    expect(parsePolicy(bytes).ok).toBe(true)
    const bad: (string | Uint8Array)[] = [
      new Uint8Array([0xef, 0xbb, 0xbf, ...bytes]),
      `\ufeff${text(MINIMAL)}`,
      Uint8Array.from(bytes, (b, i) => (i === 15 ? 0xff : b)),
      text(MINIMAL).replace('}', ',}'),
      `${text(MINIMAL)} // comment`,
      `/* comment */${text(MINIMAL)}`,
      text(MINIMAL).replace('60', 'NaN'),
      text(MINIMAL).replace('60', '060'),
      text(MINIMAL).replaceAll('"', "'"),
      '',
    ]
    for (const document of bad) {
      const outcome = parsePolicy(document)
      expect(outcome.ok ? [] : outcome.faults.map((f) => f.code)).toEqual(['JSON_SYNTAX'])
    }
  })

  it('RJ-POL-24 development profile used for release', () => {
    const members = { keyRelease: { minLevel: 3 }, acceptRisks: ['open-quote-oracle'] }
    const document = documentWith({ measurements: [DIGEST] }, members)
    pair(document, { ...document, profile: 'development' }, 'POLICY_PROFILE_NOT_RELEASABLE /keyRelease')
  })

  it('RJ-SNP-40 a zero digest', () => {
    const zero = '0'.repeat(96)
    pair(
      documentWith({ idKeyDigests: [DIGEST] }),
      documentWith({ idKeyDigests: [zero] }),
      `POLICY_ZERO_DIGEST ${SNP}/idKeyDigests/0`,
    )
    for (const [name, size] of [
      ['measurements', 96],
      ['authorKeyDigests', 96],
      ['hostData', 64],
      ['chipIds', 128],
      ['chipIds', 16],
    ] as const) {
      refused(documentWith({ [name]: ['0'.repeat(size)] }), `POLICY_ZERO_DIGEST ${SNP}/${name}/0`)
    }
    refused(documentWithGpu({ deviceIds: ['0'.repeat(18)] }), 'POLICY_ZERO_DIGEST /require/gpu/deviceIds/0')
  })

  it('RJ-SNP-30 a measurement of 47 bytes', () => {
    refused(documentWith({ measurements: ['ab'.repeat(47)] }), `POLICY_HEX ${SNP}/measurements/0`)
  })
})

describe('other refusals', () => {
  describe('a day', () => {
    const of = (platform: string, rule: Record<string, unknown>) =>
      documentWith({}, {}, { cpu: { any: [{ platform, ...rule }] } })
    const members: [string, string, (day: string) => unknown][] = [
      ['tcbFloors/bulletins', 'all', (day) => of('amd/snp', { tcbFloors: { bulletins: day } })],
      ['minTcbDate', 'any', (day) => of('intel/tdx', { minTcbDate: day })],
      ['minTcbDate', 'any', (day) => of('intel/sgx', { minTcbDate: day })],
    ]
    it.each(members)('%s is %s, or one that exists', (member, word, withDay) => {
      for (const day of [word, '2024-02-29', '2000-02-29', '2025-02-28', '2025-04-30', '2025-12-31']) {
        expect(told(parsed(withDay(day)))).toEqual([])
      }
      const none = ['2025-02-29', '2025-02-30', '2024-02-30', '2025-04-31', '2025-13-40', '2025-00-10', '2025-01-00']
      for (const day of [...none, '2026-2-1', 'yesterday', '2026-02-01T00:00:00Z', `${word}2024-02-29`]) {
        refused(withDay(day), `POLICY_VALUE_INVALID /require/cpu/any/0/${member}`)
      }
    })

    it('is taken exactly where the calendar has it', () => {
      for (let year = 2000; year <= 2099; year += 1) {
        for (const day of ['02-28', '02-29', '02-30', '06-30', '06-31']) {
          const at = new Date(`${year}-${day}T00:00:00Z`)
          const exists = !Number.isNaN(at.getTime()) && at.toISOString().startsWith(`${year}-${day}`)
          expect([`${year}-${day}`, parsed(of('intel/tdx', { minTcbDate: `${year}-${day}` })).ok]).toEqual([
            `${year}-${day}`,
            exists,
          ])
        }
      }
    })
  })

  it('a member that must be there', () => {
    const { freshness: _f, ...noFreshness } = MINIMAL
    pair(MINIMAL, noFreshness, 'POLICY_KEY_MISSING /freshness')
    const { name: _n, ...noName } = MINIMAL
    refused(noName, 'POLICY_KEY_MISSING /name')
    refused({ ...MINIMAL, require: { level: 1 } }, 'POLICY_KEY_MISSING /require/cpu')
    refused({ ...MINIMAL, require: { ...MINIMAL.require, cpu: {} } }, 'POLICY_KEY_MISSING /require/cpu/any')
    refused({ ...MINIMAL, require: { ...MINIMAL.require, cpu: { any: [{}] } } }, `POLICY_KEY_MISSING ${SNP}/platform`)
    for (const name of ['count', 'models', 'binding', 'devtools']) {
      const { [name]: _, ...gpu } = GPU as Record<string, unknown>
      refused(documentWith({}, {}, { gpu }), `POLICY_KEY_MISSING /require/gpu/${name}`)
    }
    refused(documentWith({}, { referenceValues: {} }), 'POLICY_KEY_MISSING /referenceValues/signers')
  })

  it('a value that is not one of those allowed, with the list', () => {
    const outcome = parsed(documentWith({ revocation: 'stapled' }))
    expect(outcome).toMatchObject({
      faults: [
        { code: 'POLICY_VALUE_INVALID', path: `${SNP}/revocation`, expected: 'required | none', actual: 'stapled' },
      ],
    })
    refused(documentWith({ platform: 'arm/cca' }), `POLICY_VALUE_INVALID ${SNP}/platform`)
    refused(documentWith({ platform: 1 }), `POLICY_TYPE ${SNP}/platform`)
    refused(documentWith({ products: ['genoa'] }), `POLICY_VALUE_INVALID ${SNP}/products/0`)
    refused(documentWithGpu({ models: ['H900'] }), 'POLICY_VALUE_INVALID /require/gpu/models/0')
    refused(documentWithGpu({ unique: false }), 'POLICY_VALUE_INVALID /require/gpu/unique')
    refused(documentWithGpu({ minDriver: '550.x' }), 'POLICY_VALUE_INVALID /require/gpu/minDriver')
    refused(documentWithGpu({ minVbios: '96.00' }), 'POLICY_VALUE_INVALID /require/gpu/minVbios')
    refused(documentWith({ minFirmware: '1.55' }), `POLICY_VALUE_INVALID ${SNP}/minFirmware`)
    refused(documentWith({ mitigations: { launch: '0b' } }), `POLICY_VALUE_INVALID ${SNP}/mitigations/launch`)
    refused(documentWith({}, { name: 'x\u001b[31m' }), 'POLICY_PATTERN_FORBIDDEN /name')
    refused(documentWith({}, { name: 'x\ny' }), 'POLICY_VALUE_INVALID /name')
    refused(documentWith({}, { name: '' }), 'POLICY_VALUE_INVALID /name')
    refused(documentWith({}, { comment: 'x'.repeat(4097) }), 'POLICY_VALUE_INVALID /comment')
    refused(documentWith({}, { comment: 1 }), 'POLICY_TYPE /comment')
    refused(documentWith({}, { acceptRisks: ['everything'] }), 'POLICY_VALUE_INVALID /acceptRisks/0')
  })

  it('an entry twice, even in two spellings', () => {
    pair(
      documentWith({ measurements: [DIGEST] }),
      documentWith({ measurements: [DIGEST, DIGEST] }),
      `POLICY_DUPLICATE_ENTRY ${SNP}/measurements/1`,
    )
    refused(
      documentWithGpu({ denyVbios: ['96.00.74.00.1c', '96.00.74.00.1C'] }),
      'POLICY_DUPLICATE_ENTRY /require/gpu/denyVbios/1',
    )
    refused(
      documentWith({}, { referenceValues: { signers: [SIGNER, { ...SIGNER, kid: 'other' }] } }),
      'POLICY_DUPLICATE_ENTRY /referenceValues/signers/1',
    )
  })

  it('debugging in production', () => {
    const document = documentWith({ guestPolicy: { debug: 'allowed' } })
    pair({ ...document, profile: 'development' }, document, `POLICY_ACKNOWLEDGEMENT_MISSING ${SNP}/guestPolicy/debug`)
  })

  it('a release below level 5 without the named risk', () => {
    const document = documentWith({ measurements: [DIGEST] }, { keyRelease: { minLevel: 3 } })
    pair(
      { ...document, acceptRisks: ['open-quote-oracle'] },
      document,
      'POLICY_ACKNOWLEDGEMENT_MISSING /keyRelease/minLevel',
    )
  })

  it('signers that are no public keys, without showing what they are', () => {
    const signers = (...list: unknown[]) => documentWith({}, { referenceValues: { signers: list } })
    const at = '/referenceValues/signers/0'
    accepted(signers(SIGNER))
    accepted(signers({ ...SIGNER, alg: 'ES256', use: 'sig' }))
    const outcome = parsed(signers({ ...SIGNER, d: 'VERY-SECRET' }))
    expect(told(outcome)).toEqual([`POLICY_UNKNOWN_KEY ${at}/d`])
    expect(JSON.stringify(outcome)).not.toContain('VERY-SECRET')
    refused(signers({ ...SIGNER, alg: 'ES384' }), `POLICY_VALUE_INVALID ${at}/alg`)
    refused(signers({ ...SIGNER, x: `${SIGNER.x}A` }), `POLICY_VALUE_INVALID ${at}/x`)
    refused(signers({ ...SIGNER, x: `${SIGNER.x.slice(0, 42)}V` }), `POLICY_VALUE_INVALID ${at}/x`)
    refused(signers({ ...SIGNER, crv: 'P-521' }), `POLICY_VALUE_INVALID ${at}/crv`)
    refused(signers({ ...SIGNER, kty: 'oct' }), `POLICY_VALUE_INVALID ${at}/kty`)
    const { kid: _, ...anonymous } = SIGNER
    refused(signers(anonymous), `POLICY_KEY_MISSING ${at}/kid`)
  })

  it('tells every fault of a document, and no more than 64', () => {
    refused(
      documentWith({ measurment: 1, vmpl: [9] }, { freshness: {} }, { level: '1' }),
      'POLICY_TYPE /require/level',
      `POLICY_UNKNOWN_KEY ${SNP}/measurment`,
      `POLICY_NUMBER_RANGE ${SNP}/vmpl/0`,
      'POLICY_KEY_MISSING /freshness/maxAgeSeconds',
    )
    const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, 1]))
    expect(told(parsed({ ...MINIMAL, ...many }))).toHaveLength(64)
  })
})

describe('the policy as it takes effect', () => {
  it('takes the stricter value, or our own floor, where the author says nothing', () => {
    expect(policyOf(MINIMAL)).toEqual({
      version: 1,
      name: 'minimal',
      profile: 'production',
      require: {
        level: 1,
        cpu: {
          any: [
            {
              platform: 'amd/snp',
              products: ['Genoa', 'Turin'],
              minReportVersion: 3,
              signingKeys: ['vcek'],
              vmpl: [0],
              tcbFloors: { bulletins: 'all' },
              minTcb: { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 },
              minLaunchTcb: { fmc: 0, bootloader: 0, tee: 0, snp: 0, microcode: 0 },
              minFirmware: '0.0.0',
              minGuestSvn: 0,
              minAbi: '0.0',
              provisionalFirmware: 'refused',
              maskedChipId: 'refused',
              guestPolicy: {
                debug: 'forbidden',
                migrationAgent: 'forbidden',
                smt: 'allowed',
                cxl: 'forbidden',
                singleSocket: 'any',
                memAes256Xts: 'any',
                raplDisabled: 'any',
                ciphertextHiding: 'any',
                pageSwapDisabled: 'any',
              },
              platformInfo: {
                smtEnabled: 'any',
                tsmeEnabled: 'any',
                eccEnabled: 'any',
                raplDisabled: 'any',
                ciphertextHidingDramEnabled: 'any',
                aliasCheckComplete: 'required',
                iommuWriteSafe: 'any',
                sevTioEnabled: 'any',
                unknownBits: 'refused',
              },
              mitigations: { launch: '0000000000000000', current: '0000000000000000' },
              measurements: 'any',
              hostData: 'any',
              idKeyDigests: 'any',
              authorKeyDigests: 'any',
              chipIds: 'any',
              cspIds: 'any',
              revocation: 'required',
            },
          ],
        },
        gpu: 'none',
        physical: 'any',
        lease: 'if-given',
        leaseBinding: 'none',
      },
      freshness: { maxAgeSeconds: 60 },
      collateral: { maxAgeSeconds: 'any' },
      referenceValues: 'none',
      acceptRisks: 'none',
      keyRelease: 'none',
      onInconclusive: 'deny',
    })
    expect(policyOf(documentWithGpu()).require.gpu).toEqual({
      count: 1,
      models: ['H100'],
      modes: 'any',
      minDriver: '0',
      denyDrivers: 'none',
      minVbios: '00.00.00.00.00',
      denyVbios: 'none',
      rim: 'required',
      revocation: 'required',
      binding: 'shared-nonce',
      nonce: 'raw',
      devtools: 'not-proved',
      unique: true,
      deviceIds: 'any',
    })
  })

  it('fills a group of which only a part is written with the same values as one that is not', () => {
    expect(
      policyOf(documentWith({ guestPolicy: {}, platformInfo: {}, minTcb: {}, tcbFloors: {}, mitigations: {} })),
    ).toEqual(policyOf(MINIMAL))
  })

  it('is frozen through and through', () => {
    const policy = policyOf(documentWithGpu())
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen))
    expect(frozen(policy)).toBe(true)
    expect(() => Object.assign(policy.require, { level: 0 })).toThrow(TypeError)
  })

  it('parses to itself as a document', () => {
    const full = documentWith(
      {
        measurements: [DIGEST],
        hostData: [HOST_DATA],
        minFirmware: '1.55.40',
        minAbi: '1.55',
        mitigations: { launch: '000000000000000b' },
      },
      {
        referenceValues: { signers: [SIGNER] },
        acceptRisks: ['plain-nvlink'],
        keyRelease: {},
        collateral: { maxAgeSeconds: 86400 },
        onInconclusive: 'retry',
      },
      {
        gpu: { ...GPU, denyDrivers: ['550.54.14'], modes: ['PPCIE', 'SPT'] },
        physical: ['audited'],
        leaseBinding: 'host-data',
      },
    )
    for (const policy of [policyOf(MINIMAL), policyOf(full), ...PRESET_NAMES.map(presetPolicy)]) {
      expect(policyOf(canonicalJson(policy as unknown as Json))).toEqual(policy)
    }
  })

  it('sorts lists and normalises spellings', () => {
    const gpu = policyOf(documentWithGpu({ models: ['H200', 'H100'], denyVbios: ['96.00.74.00.1c'] })).require.gpu
    expect(gpu).toMatchObject({ models: ['H100', 'H200'], denyVbios: ['96.00.74.00.1C'] })
  })
})
