import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/core/bytes.ts'
import { toBase64 } from '../../src/core/encodings.ts'
import type { Decision } from '../../src/decision/decision.ts'
import type { TdxMachine } from '../../src/testing/index.ts'
import { collateralFile, enclave, inSlot, judgedIntel, judgedTd, tdxKitRow as kitRow, td } from './intel-stage.ts'
import { accepted, type Check, row } from './row.ts'
import { json } from './stage.ts'

const TD = td()
const good = () => judgedIntel(TD)
const shown = (quote: Uint8Array): Promise<Decision> => judgedIntel(TD, { evidence: inSlot(quote) })
const asFile = (quote: Uint8Array): Promise<Decision> => judgedIntel(TD, { evidence: quote })

/** A quote of the machine with other certification data, every length around them mended; nothing signs them. */
function withCertification({ quote, offsets }: TdxMachine, type: number, data: Uint8Array): Uint8Array {
  const { certification, outer = 0, authLength } = offsets
  const made = concatBytes(quote.subarray(0, certification), new Uint8Array(6), data)
  const view = new DataView(made.buffer)
  view.setUint16(certification, type, true)
  view.setUint32(certification + 2, data.length, true)
  view.setUint32(outer + 2, made.length - outer - 6, true)
  view.setUint32(authLength, made.length - authLength - 4, true)
  return made
}

const padded = (sizeBytes: number): Uint8Array => concatBytes(TD.quote, new Uint8Array(sizeBytes - TD.quote.length))

describe('the bytes of a TDX quote', () => {
  kitRow('RJ-TDX-01', {
    codes: {
      'quote-empty': 'ENV_EVIDENCE_EMPTY',
      'quote-noise': 'TDX_VERSION_UNSUPPORTED',
      'auth-length-zero': 'TDX_TRAILING_BYTES',
      'auth-length-short': 'TDX_TRAILING_BYTES',
      'auth-length-minus-1': 'TDX_CERT_DATA_INVALID',
    },
  })
  row('RJ-TDX-01', {
    about: 'every prefix',
    twin: good,
    bad: {
      '0': { code: 'ENV_EVIDENCE_EMPTY', check: () => shown(new Uint8Array()) },
      ...Object.fromEntries(
        Array.from({ length: TD.quote.length - 1 }, (_, i): [string, Check] => [
          `${i + 1}`,
          () => shown(TD.quote.subarray(0, i + 1)),
        ]),
      ),
    },
  })
  row('RJ-TDX-01', {
    about: 'as a file',
    twin: () => asFile(TD.quote),
    bad: {
      'up to the vendor id': () => asFile(TD.quote.subarray(0, 28)),
      'up to the body': () => asFile(TD.quote.subarray(0, 48)),
      'all but its last byte': () => asFile(TD.quote.subarray(0, -1)),
      'too little to show its kind': { code: 'ENV_UNREADABLE', check: () => asFile(TD.quote.subarray(0, 27)) },
    },
  })

  kitRow('RJ-TDX-02')
  row('RJ-TDX-02', {
    about: 'beside padding that is taken',
    twin: {
      'a byte behind 5006': () => shown(padded(5006)),
      'a byte behind 8000': () => shown(padded(8000)),
      '8193 bytes': () => shown(padded(8192)),
    },
    bad: {
      'a byte behind 5006': () => shown(concatBytes(padded(5006), Uint8Array.of(1))),
      'a byte behind 8000': () => shown(concatBytes(padded(8000), Uint8Array.of(1))),
      '8193 bytes': () => shown(padded(8193)),
    },
  })

  kitRow('RJ-TDX-03')
  kitRow('RJ-TDX-04')
  kitRow('RJ-TDX-05')
  row('RJ-TDX-05', { about: 'a genuine quote of an enclave', twin: good, bad: () => shown(enclave().quote) })
  kitRow('RJ-TDX-06')
  kitRow('RJ-TDX-07')

  kitRow('RJ-TDX-08', {
    codes: { 'certification-type-2': 'TDX_PCK_CERT_MISSING', 'certification-type-3': 'TDX_PCK_CERT_MISSING' },
  })
  // PPID, CPUSVN, PCESVN, PCEID; the one of type 1 names the certificate, and the others of the kit name none that exists.
  const { ppid, components, pceSvn, pceId } = TD.platform
  const id = concatBytes(ppid, Uint8Array.from(components), Uint8Array.of(pceSvn, 0), pceId)
  const named = (...ders: readonly Uint8Array[]) =>
    judgedIntel(TD, {
      evidence: inSlot(withCertification(TD, 1, id)),
      files: [collateralFile(TD.collateral), ...ders],
    })
  row('RJ-TDX-08', {
    about: 'a PCK certificate that is only named',
    twin: () => named(...TD.chain),
    bad: {
      'and not there': { code: 'TDX_PCK_CERT_MISSING', check: () => named() },
      'by type 2, of that length': () =>
        judgedIntel(TD, { evidence: inSlot(withCertification(TD, 2, id)), files: [...TD.chain] }),
    },
  })

  row('RJ-TDX-36', {
    twin: { 'in its slot': good, 'as a file': () => asFile(TD.quote), 'in configfs-tsm JSON': () => inTsm(TD.quote) },
    bad: {
      'in its slot': () => judgedTd({ wrong: 'quote-is-tdreport' }),
      'as a file': () => asFile(td({ wrong: 'quote-is-tdreport' }).quote),
      'in configfs-tsm JSON': () => inTsm(td({ wrong: 'quote-is-tdreport' }).quote),
    },
  })
})

const inTsm = (quote: Uint8Array) =>
  judgedIntel(TD, { evidence: json({ provider: 'tdx_guest', outblob: toBase64(quote) }) })

describe('who signed a TDX quote', () => {
  kitRow('RJ-TDX-09')
  kitRow('RJ-TDX-10')
  kitRow('RJ-TDX-11', { codes: { 'attestation-key-off-curve': 'TDX_SIGNATURE_INVALID' } })
})

describe('a quote in a longer buffer', () => {
  const digestOf = async (decision: Promise<Decision>): Promise<string> => {
    accepted(await decision)
    return (await decision).evidenceDigest
  }

  test.each([
    ['TDX', TD, 'intel/tdx-quote'],
    ['SGX', enclave(), 'intel/sgx-quote'],
  ] as const)('has the evidence digest of the quote itself (%s)', async (_, machine, format) => {
    const { quote } = machine
    for (const carried of [(bytes: Uint8Array) => bytes, (bytes: Uint8Array) => inSlot(bytes, format)]) {
      const digests = [0, 1, 300].map((more) =>
        digestOf(judgedIntel(machine, { evidence: carried(concatBytes(quote, new Uint8Array(more))) })),
      )
      expect(new Set(await Promise.all(digests)).size).toBe(1)
    }
  })

  test('has another one as soon as a bit of it is another', async () => {
    const other = td({ td: { mrConfigId: new Uint8Array(48).fill(1) } })
    expect(await digestOf(judgedIntel(other))).not.toBe(await digestOf(good()))
  })
})
