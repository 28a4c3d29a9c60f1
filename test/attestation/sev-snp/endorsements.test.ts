import { describe, expect, it } from 'vitest'
import { offersInEvidence } from '../../../src/attestation/sev-snp/endorsements.ts'
import { concatBytes } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { amdMachine, certificateTable } from '../../../src/testing/amd/index.ts'
import { pem } from '../../../src/testing/pki/certificate.ts'
import { ACCEPTED, contextAt, judgeMachine, refusedWith, utf8, verdictOf } from './support.ts'

const AT = '2026-08-01T00:00:00Z'
const machine = amdMachine('endorsements')
const vlekMachine = amdMachine('endorsements', { kind: 'VLEK' })
const { vek, intermediate, ark } = machine

async function codeOf(...endorsements: readonly Uint8Array[]): Promise<Code | 'accepted'> {
  const outcome = await offersInEvidence(contextAt(AT), endorsements, 'endorsements')
  return outcome.ok ? 'accepted' : outcome.faults[0].code
}

async function offered(...endorsements: readonly Uint8Array[]) {
  const outcome = await offersInEvidence(contextAt(AT), endorsements, 'endorsements')
  if (!outcome.ok) throw new TypeError(JSON.stringify(outcome.faults))
  const { keys, authorities, roots } = outcome.value
  return { keys: keys.map((k) => k.kind), authorities: authorities.length, roots: roots.length }
}

describe('certificates that travel with a report', () => {
  it.each([
    ['a table with DER bodies', [machine.table]],
    ['a table with PEM bodies', [amdMachine('endorsements', { table: { format: 'pem' } }).table]],
    ['PEM of the chain', [utf8(machine.chainPem)]],
    ['PEM in any order, with carriage returns', [utf8(pem([ark, vek, intermediate]).replaceAll('\n', '\r\n'))]],
    ['DER of each', [ark, intermediate, vek]],
    ['the leaf and the intermediate', [vek, intermediate]],
    ['an empty table beside them', [certificateTable([]), vek, intermediate]],
    ['an empty endorsement beside them', [new Uint8Array(), vek, intermediate]],
  ])('are read from %s', async (_, endorsements) => {
    expect(verdictOf(await judgeMachine(machine, { endorsements }))).toEqual(ACCEPTED)
  })

  it('are sorted into keys, authorities and roots', async () => {
    const expected = { keys: ['vcek'], authorities: 1, roots: 1 }
    expect(await offered(machine.table)).toEqual(expected)
    expect(await offered(utf8(machine.chainPem))).toEqual(expected)
    expect(await offered(vlekMachine.table)).toEqual({ ...expected, keys: ['vlek'] })
    expect(await offered()).toEqual({ keys: [], authorities: 0, roots: 0 })
  })

  it.each(['VCEK', 'VLEK'] as const)(
    'are chosen by SIGNING_KEY where a table has both kinds of key (%s)',
    async (kind) => {
      const both = amdMachine('endorsements', { kind, table: { contents: 'both-veks' } })
      expect(verdictOf(await judgeMachine(both))).toEqual(ACCEPTED)
    },
  )

  it('are taken for what their place says: one kind in the place of the other is a contradiction', async () => {
    const mismatch = refusedWith('SNP_SIGNER_KIND_MISMATCH')
    const vlekAsVcek = certificateTable([{ kind: 'VCEK', body: vlekMachine.vek }])
    const vcekAsVlek = certificateTable([{ kind: 'VLEK', body: vek }])
    const asked = [
      [vlekAsVcek, vlekMachine.intermediate],
      [vcekAsVlek, intermediate],
    ] as const
    for (const endorsements of asked) expect(verdictOf(await judgeMachine(machine, { endorsements }))).toEqual(mismatch)
  })

  it('are no root where an intermediate stands in the place of the root', async () => {
    const misplaced = certificateTable([
      { kind: 'ARK', body: intermediate },
      { kind: 'VCEK', body: vek },
    ])
    expect(await codeOf(misplaced)).toBe('X509_ROOT_UNTRUSTED')
  })

  it('are refused in forms that are none of the three', async () => {
    expect(await codeOf(utf8('-----BEGIN X509 CRL-----\nMAA=\n-----END X509 CRL-----\n'))).toBe('PEM_INVALID')
    expect(await codeOf(utf8(`${machine.chainPem}trailing text`))).toBe('PEM_INVALID')
    expect(await codeOf(utf8(pem(vek).replace('MII', 'MI_')))).toBe('PEM_INVALID')
    expect(await codeOf(concatBytes(vek, new Uint8Array(1)))).toBe('DER_TRAILING_BYTES')
    expect(await codeOf(vek.subarray(0, 700))).toBe('DER_TRUNCATED')
    expect(await codeOf(utf8('no certificate at all'))).toBe('SNP_CERT_TABLE_INVALID')
    const two = certificateTable([{ kind: 'VCEK', body: utf8(pem([vek, intermediate])) }])
    expect(await codeOf(two)).toBe('PEM_INVALID')
    const padded = utf8(pem(vek).replace(/([A-Za-z0-9+/])(=*)\n-----END/, 'A=\n-----END'))
    expect(await codeOf(padded)).toBe('ENV_BASE64_NOT_CANONICAL')
  })

  it('are limited in size and number', async () => {
    expect(await codeOf(new Uint8Array(64 * 1024))).toBe('accepted')
    expect(await codeOf(new Uint8Array(64 * 1024 + 1))).toBe('LIMIT_EVIDENCE_BYTES')
    expect(await codeOf(...Array.from({ length: 8 }, () => vek))).toBe('accepted')
    expect(await codeOf(...Array.from({ length: 9 }, () => vek))).toBe('LIMIT_CERT_COUNT')
    expect(await codeOf(...Array.from({ length: 9 }, () => new Uint8Array()))).toBe('LIMIT_CERT_COUNT')
    expect(await codeOf(utf8(pem(Array.from({ length: 9 }, () => vek))))).toBe('LIMIT_CERT_COUNT')
    const three = utf8(pem([vek, intermediate, ark]))
    expect(await codeOf(three, three)).toBe('accepted')
    expect(await codeOf(three, three, three)).toBe('LIMIT_CERT_COUNT')
  })

  it('keep no view into the caller’s bytes', async () => {
    const context = contextAt(AT)
    const table = Uint8Array.from(machine.table)
    const first = await offersInEvidence(context, [table], 'endorsements')
    table.fill(0)
    const again = await offersInEvidence(context, [machine.table], 'endorsements')
    expect(first.ok && again.ok && first.value.keys[0]?.value.der).toEqual(vek)
    expect(again.ok && again.value.keys[0]?.value === (first.ok && first.value.keys[0]?.value)).toBe(true)
  })
})
