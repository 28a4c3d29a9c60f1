import { describe, expect, it } from 'vitest'
import { inspectCca, inspectNitro } from '../../../src/cli/inspect/cbor-kinds.ts'
import { inspect } from '../../../src/cli/inspect/read.ts'
import { renderInspection } from '../../../src/cli/inspect/render.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { ccaToken, nitroDocument } from '../../../src/testing/index.ts'
import { valueIn } from '../../core/support.ts'

const NONCE = new Uint8Array(64).fill(7)
const NITRO = nitroDocument('inspect', { nonce: NONCE })
const CCA = ccaToken('inspect', { challenge: NONCE })

describe.each([
  ['a Nitro document', NITRO.document, inspectNitro],
  ['a CCA token', CCA.token, inspectCca],
])('%s', (_, bytes, view) => {
  it('shows every field where it lies', () => {
    const { sections, problems } = view(bytes)
    expect(problems).toEqual([])
    const fields = sections.flatMap((s) => s.fields)
    expect(fields.length).toBeGreaterThan(10)
    for (const { offset, sizeBytes, hex } of fields) {
      expect(toHex(bytes.subarray(offset, offset + sizeBytes))).toBe(hex)
    }
    expect(fields.map((f) => f.hex)).toContain(toHex(NONCE))
  })

  it('says why it cannot be read', () => {
    const { sections, problems } = view(bytes.subarray(0, -1))
    expect([sections, problems.map((p) => p.code)]).toEqual([[], ['LIMIT_CBOR']])
  })
})

describe('inspect', () => {
  it('draws the certificates of a Nitro document', async () => {
    const seen = valueIn(await inspect([{ name: 'document.cbor', bytes: NITRO.document }]))
    expect(seen.items.map((i) => [i.kind, i.problems, i.certificates.length])).toEqual([['aws/nitro', [], 5]])
    expect(seen.items[0]?.sections[0]?.title).toContain('i-0123456789abcdef0-enc0123456789abcdef, 2026-08-01T00:00:00Z')
    expect(renderInspection(seen, true)).toContain('aws.nitro-enclaves')
  })

  it('reads a CCA token, which brings no certificates', async () => {
    const seen = valueIn(await inspect([{ name: 'token.cbor', bytes: CCA.token }]))
    expect(seen.items.map((i) => [i.kind, i.problems, i.certificates])).toEqual([['arm/cca-token', [], []]])
    expect(renderInspection(seen, true)).toContain('Realm token, ES384')
  })
})
