import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  decodeCertificateTable,
  looksLikeCertificateTable,
} from '../../../src/attestation/sev-snp/certificate-table.ts'
import type { Code } from '../../../src/core/codes.ts'
import { certificateTable, type TableEntry } from '../../../src/testing/amd/index.ts'
import { utf8 } from './support.ts'

const ARK: TableEntry = { kind: 'ARK', body: utf8('root') }
const ASK: TableEntry = { kind: 'ASK', body: utf8('intermediate') }
const VCEK: TableEntry = { kind: 'VCEK', body: utf8('leaf') }
const VLEK: TableEntry = { kind: 'VLEK', body: utf8('loaded leaf') }

function bodies(table: Uint8Array): Record<string, string> {
  const outcome = decodeCertificateTable(table, 'table')
  if (!outcome.ok) throw new TypeError(JSON.stringify(outcome.faults))
  return Object.fromEntries([...outcome.value].map(([entry, body]) => [entry, new TextDecoder().decode(body)]))
}

function codeOf(table: Uint8Array): Code | 'accepted' {
  const outcome = decodeCertificateTable(table, 'table')
  return outcome.ok ? 'accepted' : outcome.faults[0].code
}

describe('decodeCertificateTable', () => {
  it('reads the bodies by what their GUIDs say they are', () => {
    const table = certificateTable([ARK, ASK, VCEK, VLEK])
    const expected = { ark: 'root', ask: 'intermediate', vcek: 'leaf', vlek: 'loaded leaf' }
    expect(bodies(table)).toEqual(expected)
    expect(bodies(certificateTable([ARK, ASK, VCEK, VLEK], { append: new Uint8Array(4000) }))).toEqual(expected)
  })

  it('passes over entries it does not know, even repeated ones', () => {
    const guid = { guid: '00112233-4455-6677-8899-aabbccddeeff', body: utf8('?') }
    const cpuid: TableEntry = { kind: 'CPUID', body: new Uint8Array(8) }
    const svsm: TableEntry = { kind: 'SVSM', body: new Uint8Array() }
    expect(bodies(certificateTable([guid, cpuid, VCEK, guid, svsm]))).toEqual({ vcek: 'leaf' })
  })

  it('takes a table without entry as empty', () => {
    expect(bodies(certificateTable([]))).toEqual({})
    expect(bodies(new Uint8Array(4096))).toEqual({})
  })

  it('refuses a second entry of the same kind', () => {
    expect(codeOf(certificateTable([VCEK, ASK, VCEK]))).toBe('SNP_CERT_TABLE_AMBIGUOUS')
    expect(codeOf(certificateTable([ASK, VCEK, ASK]))).toBe('SNP_CERT_TABLE_AMBIGUOUS')
    expect(codeOf(certificateTable([VCEK, VLEK, ASK]))).toBe('accepted')
  })

  it('refuses bodies that do not lie behind the header and inside the table', () => {
    const entries = [ARK, VCEK]
    const headerBytes = 3 * 24
    const end = certificateTable(entries).length
    expect(codeOf(certificateTable(entries, { offset: { 1: headerBytes } }))).toBe('accepted')
    for (const offset of [0, 24, headerBytes - 1, end - 3, end, 0xffffffff]) {
      expect(codeOf(certificateTable(entries, { offset: { 1: offset } }))).toBe('SNP_CERT_TABLE_INVALID')
    }
    for (const length of [5, 0x7fffffff, 0xffffffff]) {
      expect(codeOf(certificateTable(entries, { length: { 1: length } }))).toBe('SNP_CERT_TABLE_INVALID')
    }
    // 0xfffffff0 + 0x60 wraps to 0x50, which lies inside
    const wrapping = { offset: { 1: 0xfffffff0 }, length: { 1: 0x60 } }
    expect(codeOf(certificateTable(entries, wrapping))).toBe('SNP_CERT_TABLE_INVALID')
    const unknown = { guid: '00112233-4455-6677-8899-aabbccddeeff', body: utf8('?') }
    expect(codeOf(certificateTable([unknown], { length: { 0: 2 } }))).toBe('SNP_CERT_TABLE_INVALID')
  })

  it('refuses an empty body of a kind that it reads', () => {
    expect(codeOf(certificateTable([{ kind: 'VCEK', body: new Uint8Array() }]))).toBe('SNP_CERT_TABLE_INVALID')
    expect(codeOf(certificateTable([VCEK], { length: { 0: 0 } }))).toBe('SNP_CERT_TABLE_INVALID')
  })

  it('refuses a header without its zero entry, and a zero GUID that is not one', () => {
    expect(codeOf(certificateTable([VCEK], { withoutTerminator: true }))).toBe('SNP_CERT_TABLE_INVALID')
    const table = certificateTable([ARK, VCEK])
    for (let length = 0; length < 3 * 24; length++) {
      expect(codeOf(table.subarray(0, length))).toBe('SNP_CERT_TABLE_INVALID')
    }
    const nameless = certificateTable([{ guid: '00000000-0000-0000-0000-000000000000', body: utf8('?') }])
    expect(codeOf(nameless)).toBe('accepted')
    expect(bodies(nameless)).toEqual({})
  })

  it('refuses every truncation', () => {
    const table = certificateTable([ARK, ASK, VCEK])
    for (let length = 0; length < table.length; length++) {
      expect(codeOf(table.subarray(0, length))).toBe('SNP_CERT_TABLE_INVALID')
    }
  })

  it('answers any bytes with an outcome', () => {
    const table = certificateTable([ARK, ASK, VCEK])
    const mutated = fc
      .array(fc.tuple(fc.nat(table.length - 1), fc.nat(255)), { maxLength: 8 })
      .map((edits) => edits.reduce((bytes, [at, value]) => bytes.with(at, value), table))
    fc.assert(
      fc.property(fc.oneof(mutated, fc.uint8Array({ maxLength: 300 })), (bytes) => {
        expect(typeof decodeCertificateTable(bytes, 'table').ok).toBe('boolean')
      }),
      { numRuns: 2000, seed: 2 },
    )
  })
})

describe('looksLikeCertificateTable', () => {
  it('knows tables that begin with an entry that is read', () => {
    for (const entry of [ARK, ASK, VCEK, VLEK]) expect(looksLikeCertificateTable(certificateTable([entry]))).toBe(true)
    const others = [
      new Uint8Array(),
      new Uint8Array(4096),
      utf8('-----BEGIN CERTIFICATE-----'),
      new Uint8Array(1184).fill(3),
    ]
    expect(others.map(looksLikeCertificateTable)).toEqual(others.map(() => false))
  })
})
