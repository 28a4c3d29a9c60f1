import { describe, expect, it, test } from 'vitest'
import { documentOf, splitAnswer } from '../../../src/attestation/dcap/documents.ts'
import { latin1, utf8 } from '../../../src/core/bytes.ts'
import { toHex } from '../../../src/core/encodings.ts'
import { accepted, refused } from '../../reject/row.ts'

const SIGNATURE = 'ab'.repeat(64)
const split = (text: string) => splitAnswer(utf8(text), 'file')
const signedIn = (text: string) => {
  const outcome = split(text)
  if (!outcome.ok) throw new TypeError(JSON.stringify(outcome.faults))
  const { kind, signed, signature } = outcome.value
  return { kind, signed: latin1(signed), signature: toHex(signature) }
}

describe('a signed answer', () => {
  it('gives the object byte for byte as it stands there', () => {
    const inner = '{ "b" : [1, {"}": "]\\"{"}],\n\t"a": -1.50e3, "é": "\\u00e9" }'
    const text = `\n{ "tcbInfo" :\t${inner} ,\r\n"signature": "${SIGNATURE}" }\n`
    expect(signedIn(text)).toEqual({ kind: 'tcb-info', signed: latin1(utf8(inner)), signature: SIGNATURE })
  })

  it('is told by its member, whichever comes first, and takes digits of either case', () => {
    expect(signedIn(`{"signature":"${SIGNATURE.toUpperCase()}","enclaveIdentity":{}}`)).toEqual({
      ...{ kind: 'qe-identity', signed: '{}', signature: SIGNATURE },
    })
  })

  const good = `{"tcbInfo":{"a":1},"signature":"${SIGNATURE}"}`
  const bad = (name: string, code: Parameters<typeof refused>[1][0], text: string) =>
    test(`${code}: ${name}`, () => {
      accepted(split(good))
      refused(split(text), [code])
    })
  bad(
    'the object twice',
    'JSON_DUPLICATE_KEY',
    good.replace('{"tcbInfo":{"a":1},', '{"tcbInfo":{"a":1},"tcbInfo":{"a":2},'),
  )
  bad('a member twice inside', 'JSON_DUPLICATE_KEY', good.replace('{"a":1}', '{"a":1,"a":1}'))
  bad(
    'the object twice, once with its name escaped',
    'JSON_DUPLICATE_KEY',
    good.replace('{"tcbInfo"', '{"tcb\\u0049nfo":{},"tcbInfo"'),
  )
  bad('its name escaped', 'JSON_UNKNOWN_KEY', good.replace('"tcbInfo"', '"tcb\\u0049nfo"'))
  bad('a third member', 'JSON_UNKNOWN_KEY', good.replace(',"sig', ',"note":"","sig'))
  bad('two documents', 'JSON_UNKNOWN_KEY', good.replace(',"sig', ',"enclaveIdentity":{},"sig'))
  bad('another document', 'JSON_UNKNOWN_KEY', good.replace('tcbInfo', 'tcbEvaluationDataNumbers'))
  bad('text in place of the object', 'JSON_UNKNOWN_KEY', good.replace('{"a":1}', '"{}"'))
  bad('text between', 'JSON_SYNTAX', good.replace(',"sig', ',x"sig'))
  bad('text behind', 'JSON_SYNTAX', `${good}{}`)
  bad('a trailing comma', 'JSON_SYNTAX', good.replace('"}', '",}'))
  bad('a list around it', 'JSON_TYPE_MISMATCH', `[${good}]`)
  bad('no signature', 'JSON_TYPE_MISMATCH', '{"tcbInfo":{"a":1}}')
  bad('a signature that is no text', 'JSON_TYPE_MISMATCH', good.replace(`"${SIGNATURE}"`, '1'))
  bad('63 bytes of signature', 'HEX_NOT_CANONICAL', good.replace(SIGNATURE, 'ab'.repeat(63)))
  bad('a signature in DER', 'HEX_NOT_CANONICAL', good.replace(SIGNATURE, `3046022100${SIGNATURE}`))
  bad('a signature in base64', 'HEX_NOT_CANONICAL', good.replace(SIGNATURE, 'A'.repeat(86)))

  it('is UTF-8', () => {
    refused(splitAnswer(Uint8Array.of(0xef, 0xbb, 0xbf, ...utf8(good)), 'file'), ['UTF8_INVALID'])
  })

  it('may have its text and its signature apart', () => {
    accepted(documentOf('tcb-info', utf8('{"a":1}'), SIGNATURE, 'file'))
    refused(documentOf('tcb-info', utf8('[]'), SIGNATURE, 'file'), ['JSON_TYPE_MISMATCH'])
    refused(documentOf('tcb-info', utf8('{"a":1}{}'), SIGNATURE, 'file'), ['JSON_SYNTAX'])
    refused(documentOf('tcb-info', utf8('{"a":1}'), undefined, 'file'), ['JSON_TYPE_MISMATCH'])
  })
})
