import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, expect, it, test } from 'vitest'
import { requestKey } from '../../src/collateral/cache/key.ts'
import { answersIn, decodePack, encodePack, filesIn, looksLikePack, packOf } from '../../src/collateral/pack/pack.ts'
import { checkPackSignature, packKey, signPack } from '../../src/collateral/pack/sign.ts'
import { utf8 } from '../../src/core/bytes.ts'
import { take } from '../../src/core/outcome.ts'
import type { PublicJwk } from '../../src/decision/credential/jws.ts'
import { tdxMachine } from '../../src/testing/index.ts'
import { cpu, gpus } from '../reject/stage.ts'
import { amdObjects, intelObjects, nvidiaObjects } from './held-objects.ts'

const OBJECTS = [...amdObjects(cpu()), ...nvidiaObjects(gpus()), ...intelObjects(tdxMachine('pack'))]
const ANSWERS = OBJECTS.map(({ request, files }) => ({ key: requestKey(request), files }))
const LOOSE = { key: undefined, files: [{ name: 'note', bytes: utf8('loose') }] }
const PACK = packOf([...ANSWERS, LOOSE])
const BYTES = encodePack(PACK, undefined)
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

function keyOf(kind: 'ec' | 'ed25519'): { readonly key: KeyObject; readonly jwk: PublicJwk } {
  const pair = kind === 'ec' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
  const jwk = packKey(pair.publicKey.export({ format: 'jwk' }))
  if (jwk === undefined) throw new TypeError('a public key')
  return { key: pair.privateKey, jwk }
}

describe('a pack', () => {
  it('is the same to the byte, in whatever order it was made, and gives back what went in', () => {
    expect(encodePack(packOf([LOOSE, ...ANSWERS.toReversed(), ...ANSWERS]), undefined)).toEqual(BYTES)
    expect(looksLikePack(BYTES)).toBe(true)
    const read = take(decodePack(BYTES, 'pack'))
    expect(read.digest).toMatch(/^sha256:[0-9a-f]{64}$/)
    expect(encodePack(read.pack, undefined)).toEqual(BYTES)
    const back = answersIn(read.pack)
    expect(encodePack(packOf(back), undefined)).toEqual(BYTES)
    expect(back.filter((a) => a.key === undefined).map((a) => a.files.length)).toEqual([1])
    expect(filesIn(read.pack).map((f) => f.name)).toEqual([...PACK.objects.keys()].sort())
  })

  test('COLLATERAL_PACK_MALFORMED: anything but its one spelling', () => {
    const text = textOf(BYTES)
    const [first = '', second = ''] = PACK.objects.keys()
    const wrong: Readonly<Record<string, string>> = {
      cut: text.slice(0, -1),
      'white space': text.replace('{', '{ '),
      'another version': text.replace('collateral-pack/1', 'collateral-pack/2'),
      'a member more': text.replace('"format"', '"extra":1,"format"'),
      'a member twice': text.replace('"format"', '"format":"x","format"'),
      'another digest': text.replaceAll(first, 'f'.repeat(64)),
      'objects exchanged': text.replaceAll(first, '#').replaceAll(second, first).replaceAll('#', second),
      'an object missing': text.replace(/,"[0-9a-f]{64}":"[^"]*"\}/, '}'),
      'not JSON': 'x',
      deep: `{"answers":${'['.repeat(50_000)}`,
      'a list for an object': text.replace(/"objects":\{.*\}/, '"objects":[]}'),
    }
    for (const [what, changed] of Object.entries(wrong)) {
      expect(changed, what).not.toBe(text)
      expect(decodePack(utf8(changed), 'pack'), what).toMatchObject({ faults: [{ code: 'COLLATERAL_PACK_MALFORMED' }] })
    }
    expect(decodePack(utf8(text), 'pack').ok).toBe(true)
  })

  test.each(['ec', 'ed25519'] as const)(
    'COLLATERAL_PACK_SIGNATURE_INVALID: of another key or content (%s)',
    async (kind) => {
      const [own, other] = [keyOf(kind), keyOf(kind)]
      const signature = await signPack(PACK, own.key, own.jwk)
      const signed = take(decodePack(encodePack(PACK, signature), 'pack'))
      expect(await checkPackSignature(signed, own.jwk, 'pack')).toEqual({ ok: true, value: signed })
      expect(signed.digest).toBe(take(decodePack(BYTES, 'pack')).digest)
      const changed = { ...signed, pack: packOf(ANSWERS) }
      const attached = { ...signed, signature: signature.replace('..', '.e30.') }
      const untyped = { ...signed, signature: 'e30..e30' }
      for (const [read, key] of [
        [signed, other.jwk],
        [changed, own.jwk],
        [attached, own.jwk],
        [untyped, own.jwk],
      ] as const) {
        expect(await checkPackSignature(read, key, 'pack')).toMatchObject({
          faults: [{ code: 'COLLATERAL_PACK_SIGNATURE_INVALID' }],
        })
      }
    },
  )

  test('COLLATERAL_PACK_UNSIGNED: where a signature is asked for', async () => {
    const unsigned = take(decodePack(BYTES, 'pack'))
    expect(await checkPackSignature(unsigned, keyOf('ec').jwk, 'pack')).toMatchObject({
      faults: [{ code: 'COLLATERAL_PACK_UNSIGNED' }],
    })
  })
})
