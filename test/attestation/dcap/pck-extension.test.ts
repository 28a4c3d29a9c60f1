import { describe, expect, it } from 'vitest'
import { pckExtension } from '../../../src/attestation/dcap/pck-extension.ts'
import { decodeCertificate } from '../../../src/core/x509/certificate.ts'
import { ext } from '../../../src/testing/pki/certificate.ts'
import { bool, enumerated, integer, octets, oid, seq, utf8 } from '../../../src/testing/pki/der.ts'
import { codesOf, valueIn } from '../../core/support.ts'
import {
  caCertificate,
  chain,
  extensionMembers,
  judge,
  member,
  pckCertificate,
  quoteOf,
  refusalsOf,
  refusedWith,
  rootCertificate,
  sgxExtension,
  TOLD,
  tcbMembers,
} from './support.ts'

const bytes = (n: number) => octets(new Uint8Array(n))
const of = (members: readonly Uint8Array[]) =>
  valueIn(decodeCertificate(pckCertificate({ sgx: sgxExtension(members) }), 'pck'))
const withMember = (arc: string, der: Uint8Array | undefined) => {
  const { [arc]: _, ...rest } = extensionMembers()
  return of([...Object.values(rest), ...(der === undefined ? [] : [der])])
}
const tcb = (edit: (members: Uint8Array[]) => readonly Uint8Array[]) =>
  withMember('2', member('2', seq(...edit(tcbMembers()))))
const flags = (...members: readonly Uint8Array[]) => withMember('7', member('7', seq(...members)))

describe('the SGX extension of a PCK certificate', () => {
  it('is decoded', () => {
    expect(valueIn(pckExtension(of(Object.values(extensionMembers())), 'TDX'))).toEqual({
      ppid: new Uint8Array(16).fill(1),
      components: Array.from({ length: 16 }, (_, i) => i),
      pceSvn: 11,
      cpuSvn: new Uint8Array(16).fill(5),
      pceId: new Uint8Array(2),
      fmspc: Uint8Array.of(0x90, 0xc0, 0x6f, 0, 0, 0),
      sgxType: 1,
      platformInstanceId: undefined,
      dynamicPlatform: undefined,
      cachedKeys: undefined,
      smtEnabled: undefined,
    })
  })

  it('has an instance id and a configuration on multi-socket platforms', () => {
    const certificate = of([
      ...Object.values(extensionMembers()),
      member('6', octets(new Uint8Array(16).fill(9))),
      member('7', seq(member('7.1', bool(true)), member('7.2', bool(false)), member('7.3', bool(true)))),
    ])
    expect(valueIn(pckExtension(certificate, 'SGX'))).toMatchObject({
      platformInstanceId: new Uint8Array(16).fill(9),
      dynamicPlatform: true,
      cachedKeys: false,
      smtEnabled: true,
    })
  })

  it('may have its members in any order', () => {
    expect(pckExtension(of(Object.values(extensionMembers()).reverse()), 'TDX').ok).toBe(true)
    expect(
      pckExtension(
        tcb((members) => members.reverse()),
        'TDX',
      ).ok,
    ).toBe(true)
  })

  const largest = tcb((m) => [...m.slice(2), member('2.1', integer(255)), member('2.2', integer(0))])
  it('has SVNs of one byte', () => {
    expect(pckExtension(largest, 'TDX').ok).toBe(true)
  })

  it.each([
    ...['1', '2', '3', '4', '5'].map((arc) => [`without member ${arc}`, () => withMember(arc, undefined)] as const),
    ...['1', '2', '5'].map(
      (arc) =>
        [
          `with member ${arc} twice`,
          () => of([...Object.values(extensionMembers()), extensionMembers()[arc] ?? new Uint8Array()]),
        ] as const,
    ),
    ['with an unknown member', () => withMember('8', member('8', bytes(1)))],
    ['with a member of another arc', () => withMember('8', seq(oid('1.2.840.113741.1.13.2'), bytes(16)))],
    ['with a member below a member', () => withMember('1', member('1.1', bytes(16)))],
    ['with a member without value', () => withMember('1', seq(oid('1.2.840.113741.1.13.1.1')))],
    ['with a member of two values', () => withMember('1', seq(oid('1.2.840.113741.1.13.1.1'), bytes(16), bytes(16)))],
    ['with a short PPID', () => withMember('1', member('1', bytes(15)))],
    ['with a PPID that is text', () => withMember('1', member('1', utf8('0123456789abcdef')))],
    ['with a long PCEID', () => withMember('3', member('3', bytes(3)))],
    ['with a short FMSPC', () => withMember('4', member('4', bytes(5)))],
    ['with SGX type 3', () => withMember('5', member('5', enumerated(3)))],
    ['with an SGX type that is an INTEGER', () => withMember('5', member('5', integer(1)))],
    ['with a short instance id', () => withMember('6', member('6', bytes(15)))],
    ['with a TCB that is no sequence', () => withMember('2', member('2', bytes(16)))],
    ...Array.from(
      { length: 18 },
      (_, i) => [`without TCB member ${i + 1}`, () => tcb((m) => m.filter((_member, at) => at !== i))] as const,
    ),
    ['with a component twice', () => tcb((m) => [...m, member('2.3', integer(2))])],
    ['with component 0', () => tcb((m) => [...m, member('2.0', integer(2))])],
    ['with component 19', () => tcb((m) => [...m, member('2.19', integer(2))])],
    ['with a component of 256', () => tcb((m) => [...m.slice(1), member('2.1', integer(256))])],
    ['with a negative component', () => tcb((m) => [...m.slice(1), member('2.1', Uint8Array.of(2, 1, 0xff))])],
    ['with a component in octets', () => tcb((m) => [...m.slice(1), member('2.1', bytes(1))])],
    ['with a PCESVN of 65536', () => tcb((m) => [...m.filter((_m, at) => at !== 16), member('2.17', integer(65536))])],
    ['with a short CPUSVN', () => tcb((m) => [...m.slice(0, 17), member('2.18', bytes(15))])],
    ['with a flag that is a number', () => flags(member('7.1', integer(1)))],
    ['with a flag twice', () => flags(member('7.1', bool(true)), member('7.1', bool(true)))],
    ['with an unknown flag', () => flags(member('7.4', bool(true)))],
    [
      'with bytes that are no DER',
      () =>
        valueIn(
          decodeCertificate(
            pckCertificate({ sgx: ext.custom('1.2.840.113741.1.13.1', Uint8Array.of(0x30, 0x80)) }),
            'pck',
          ),
        ),
    ],
    ['absent', () => valueIn(decodeCertificate(pckCertificate({ sgx: ext.extKeyUsage(['1.2.3']) }), 'pck'))],
  ] as const)('is refused %s', (_, make) => {
    const certificate = make()
    expect(codesOf(pckExtension(certificate, 'TDX'))).toEqual(['TDX_PCK_EXTENSION_INVALID'])
    expect(codesOf(pckExtension(certificate, 'SGX'))).toEqual(['SGX_PCK_EXTENSION_INVALID'])
  })

  it.each(['TDX', 'SGX'] as const)('refuses a %s quote where it is malformed', async (tee) => {
    const sgx = sgxExtension(Object.values(extensionMembers()).slice(1))
    const data = chain(pckCertificate({ sgx }), caCertificate(), rootCertificate())
    const judgement = await judge(quoteOf({ tee, certification: { type: 5, data } }), { tee })
    expect(refusalsOf(judgement)).toEqual(refusedWith(TOLD[tee].pckExtension))
  })
})
