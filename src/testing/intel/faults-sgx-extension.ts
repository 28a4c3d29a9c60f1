import { concatBytes } from '../../core/bytes.ts'
import { must } from '../bytes.ts'
import { bool, enumerated, integer, octets } from '../pki/der.ts'
import { inSgxExtension } from './bend.ts'
import { faultTable } from './plan.ts'
import { SGX_ARC, type SgxEntry, type SgxExtensionEdits, TCB_ARC } from './sgx-extension.ts'

type Entries = readonly SgxEntry[]

const without =
  (arc: number) =>
  (entries: Entries): Entries =>
    entries.filter((entry) => entry.arc !== arc)

const twice =
  (arc: number) =>
  (entries: Entries): Entries => [
    ...entries,
    must(
      entries.find((entry) => entry.arc === arc),
      `member ${arc}`,
    ),
  ]

const holding =
  (arc: number, value: Uint8Array) =>
  (entries: Entries): Entries =>
    entries.map((entry) => (entry.arc === arc ? { arc, value } : entry))

const extension = (what: string, sgx: SgxExtensionEdits) => ({
  what,
  stage: 'match' as const,
  rows: ['RJ-TDX-30'],
  bend: inSgxExtension(sgx),
})

const member = (what: string, members: (entries: Entries) => Entries) => extension(what, { members })
const tcb = (what: string, change: (entries: Entries) => Entries) => extension(what, { tcb: change })
const ZEROS = (length: number): Uint8Array => octets(new Uint8Array(length))

/** Faults in Intel's extension of the PCK certificate, which is signed anew by its issuer. */
export const SGX_EXTENSION_FAULTS = faultTable({
  'sgx-extension-missing': extension('no SGX extension', { times: 0 }),
  'sgx-extension-twice': extension('the SGX extension twice', { times: 2 }),
  'sgx-extension-trailing-byte': extension('a byte behind the value of the SGX extension', {
    value: (der) => concatBytes(der, Uint8Array.of(0)),
  }),
  'sgx-extension-not-a-sequence': extension('an octet string for the SGX extension', { value: octets }),
  'sgx-no-ppid': member('no PPID', without(SGX_ARC.ppid)),
  'sgx-no-tcb': member('no TCB', without(SGX_ARC.tcb)),
  'sgx-no-pceid': member('no PCEID', without(SGX_ARC.pceId)),
  'sgx-no-fmspc': member('no FMSPC', without(SGX_ARC.fmspc)),
  'sgx-no-type': member('no SGX type', without(SGX_ARC.sgxType)),
  'sgx-duplicate-ppid': member('PPID twice', twice(SGX_ARC.ppid)),
  'sgx-duplicate-tcb': member('TCB twice', twice(SGX_ARC.tcb)),
  'sgx-duplicate-fmspc': member('FMSPC twice', twice(SGX_ARC.fmspc)),
  'sgx-ppid-short': member('a PPID of 15 bytes', holding(SGX_ARC.ppid, ZEROS(15))),
  'sgx-pceid-long': member('a PCEID of 3 bytes', holding(SGX_ARC.pceId, ZEROS(3))),
  'sgx-fmspc-short': member('an FMSPC of 5 bytes', holding(SGX_ARC.fmspc, ZEROS(5))),
  'sgx-fmspc-as-text': member('an FMSPC that is a number', holding(SGX_ARC.fmspc, integer(6))),
  'sgx-type-unknown': member('SGX type 3', holding(SGX_ARC.sgxType, enumerated(3))),
  'sgx-type-as-integer': member('an SGX type that is an INTEGER', holding(SGX_ARC.sgxType, integer(1))),
  'sgx-platform-instance-short': member('a platform instance id of 15 bytes', (entries) => [
    ...without(SGX_ARC.platformInstanceId)(entries),
    { arc: SGX_ARC.platformInstanceId, value: ZEROS(15) },
  ]),
  'sgx-configuration-not-a-sequence': member('a configuration that is one BOOLEAN', (entries) => [
    ...without(SGX_ARC.configuration)(entries),
    { arc: SGX_ARC.configuration, value: bool(true) },
  ]),
  'sgx-unknown-member': member('a member that nobody knows', (entries) => [
    ...entries,
    { arc: 99, value: octets(new Uint8Array(1)) },
  ]),
  'sgx-no-component': tcb('component 7 missing', without(7)),
  'sgx-duplicate-component': tcb('component 7 twice', twice(7)),
  'sgx-component-17': tcb('a component that nobody knows', (entries) => [...entries, { arc: 19, value: integer(1) }]),
  'sgx-component-256': tcb('a component SVN of 256', holding(1, integer(256))),
  'sgx-component-negative': tcb('a negative component SVN', holding(1, integer(-1))),
  'sgx-component-as-octets': tcb('a component SVN that is an octet string', holding(1, octets(Uint8Array.of(4)))),
  'sgx-no-pcesvn': tcb('no PCESVN', without(TCB_ARC.pceSvn)),
  'sgx-pcesvn-65536': tcb('a PCESVN of 65536', holding(TCB_ARC.pceSvn, integer(65_536))),
  'sgx-no-cpusvn': tcb('no CPUSVN', without(TCB_ARC.cpuSvn)),
  'sgx-cpusvn-short': tcb('a CPUSVN of 15 bytes', holding(TCB_ARC.cpuSvn, ZEROS(15))),
})
