import { concatBytes, utf8 } from '../../core/bytes.ts'
import { digest } from '../pki/pss.ts'
import { edits, extended, type LogFault, type TestEventLog } from './registers.ts'

/** One event of a dstack log. In RTMR0 to RTMR2 the name is what the digest is made from, and is not told. */
export interface TestDstackEvent {
  readonly register: number
  readonly name: string
  /** hex */
  readonly payload: string
  readonly type?: number
  /** in place of the digest that belongs to it; `''` leaves it out, as recent versions do */
  readonly digest?: string
}

const RUNTIME = 0x08000001

const hex = (bytes: Uint8Array | string): string => Buffer.from(bytes).toString('hex')

/** A compose file for the log below. */
export const TEST_COMPOSE: string = JSON.stringify({
  manifest_version: 2,
  name: 'model',
  runner: 'docker-compose',
  docker_compose_file: 'services: {}',
})

const COMPOSE_HASH = hex(digest('sha256', utf8(TEST_COMPOSE)))

const runtime = (name: string, payload = ''): TestDstackEvent => ({ register: 3, name, payload })
const boot = (register: number, name: string, type: number): TestDstackEvent => ({ register, name, payload: '', type })

/** The boot of a dstack guest and the first event of its application. */
export const DSTACK_BOOT: readonly TestDstackEvent[] = [
  boot(0, 'hand-off block', 0x8000000b),
  boot(0, 'separator', 4),
  boot(1, 'kernel', 0x80000003),
  boot(1, 'separator', 4),
  boot(2, 'command line', 6),
  boot(2, 'initrd', 6),
  runtime('system-preparing'),
  runtime('app-id', COMPOSE_HASH.slice(0, 40)),
  runtime('compose-hash', COMPOSE_HASH),
  runtime('instance-id', 'c3'.repeat(20)),
  runtime('boot-mr-done'),
  runtime('mr-kms', 'ab'.repeat(32)),
  runtime('os-image-hash', '07'.repeat(32)),
  runtime('key-provider', hex('{"name":"kms","id":"3059"}')),
  runtime('gpu-policy-hash', '5a'.repeat(32)),
  runtime('gpu-attestation', hex(`{"evidence_sha256":"${'e1'.repeat(32)}"}`)),
  runtime('storage-fs', hex('zfs')),
  runtime('system-ready'),
  runtime('model-digest', '11'.repeat(32)),
]

const AT = Object.fromEntries(DSTACK_BOOT.map(({ name }, i) => [name, i]))
const at = (name: string): number => AT[name] ?? -1

/** Digest of an event as the guest measures it. */
function digestOf({ register, name, payload, type = RUNTIME }: TestDstackEvent, version: 1 | 2): Uint8Array {
  if (register !== 3) return digest('sha384', utf8(name))
  if (version === 2) return digest('sha384', utf8(JSON.stringify({ name, payload, type })))
  const typeBytes = Uint8Array.from([0, 8, 16, 24], (shift) => (type >>> shift) & 0xff)
  return digest('sha384', concatBytes(typeBytes, utf8(`:${name}:`), Uint8Array.from(Buffer.from(payload, 'hex'))))
}

const { drop, reorder, duplicate, change, insert } = edits<TestDstackEvent>()
type Apply = LogFault<TestDstackEvent>['apply']
const sent = (what: string, apply: Apply): LogFault<TestDstackEvent> => ({ what, by: 'sent', apply })
const measured = (what: string, apply: Apply): LogFault<TestDstackEvent> => ({ what, by: 'measured', apply })
const payload = (name: string, to: string): Apply => change(at(name), (e) => ({ ...e, payload: to }))

/** One thing wrong with the events. */
export const DSTACK_FAULTS = {
  drop: sent('an event left out', drop(at('storage-fs'))),
  'drop-boot': sent('an event of the boot left out', drop(at('kernel'))),
  reorder: sent('two events in the other order', reorder(at('mr-kms'))),
  duplicate: sent('an event told twice', duplicate(at('model-digest'))),
  add: sent('an event that was not measured', insert(DSTACK_BOOT.length, runtime('model-digest', '22'))),
  move: sent(
    'an event of the boot in another register',
    change(at('initrd'), (e) => ({ ...e, register: 1 })),
  ),
  'payload-changed': sent('another compose hash under the same digest', (events) =>
    payload(
      'compose-hash',
      '99'.repeat(32),
    )(change(at('compose-hash'), (e) => ({ ...e, digest: hex(digestOf(e, 1)) }))(events)),
  ),
  'payload-changed-without-digest': sent(
    'another compose hash, and no digest',
    change(at('compose-hash'), (e) => ({ ...e, payload: '99'.repeat(32), digest: '' })),
  ),
  'after-boundary': measured(
    'the application measures a compose hash',
    insert(DSTACK_BOOT.length, runtime('compose-hash', '99'.repeat(32))),
  ),
  'boundary-twice': measured('system-ready once more', insert(DSTACK_BOOT.length, runtime('system-ready'))),
  'boundary-missing': measured('no system-ready', drop(at('system-ready'))),
  'trusted-twice': measured('compose-hash twice', duplicate(at('compose-hash'))),
  'trusted-missing': measured('no app-id', drop(at('app-id'))),
  'app-id-short': measured('an app-id of 19 bytes', payload('app-id', 'aa'.repeat(19))),
  'compose-hash-long': measured('a compose-hash of 33 bytes', payload('compose-hash', 'aa'.repeat(33))),
  'mr-kms-empty': measured('an mr-kms of no bytes', payload('mr-kms', '')),
  'key-provider-text': measured('a key-provider that is no JSON', payload('key-provider', hex('kms'))),
  'key-provider-member': measured('a key-provider without id', payload('key-provider', hex('{"name":"kms"}'))),
  'key-provider-list': measured('a key-provider that is a list', payload('key-provider', hex('[]'))),
  'gpu-attestation-hash': measured(
    'no hash of GPU evidence',
    payload('gpu-attestation', hex('{"evidence_sha256":"e1"}')),
  ),
} as const satisfies Readonly<Record<string, LogFault<TestDstackEvent>>>

export type DstackFault = keyof typeof DSTACK_FAULTS

export interface DstackSpec {
  /** `event_log_version`; 1 by default */
  readonly version?: 1 | 2
  /** `stripped`: without digests in RTMR3 */
  readonly digests?: 'given' | 'stripped'
  readonly events?: readonly TestDstackEvent[]
  readonly wrong?: DstackFault
}

/** A dstack log, the registers that the machine has, and the MRCONFIGID that a launch of `TEST_COMPOSE` has. */
export function dstackLog(spec: DstackSpec = {}): TestEventLog & { readonly mrConfigId: Uint8Array } {
  const { version = 1, digests = 'given', events = DSTACK_BOOT, wrong } = spec
  const fault: LogFault<TestDstackEvent> | undefined = wrong === undefined ? undefined : DSTACK_FAULTS[wrong]
  const told = fault?.apply(events) ?? events
  const happened = fault?.by === 'sent' ? events : told
  const list = told.map((event) => ({
    imr: event.register,
    event_type: event.type ?? RUNTIME,
    digest: event.digest ?? (digests === 'stripped' && event.register === 3 ? '' : hex(digestOf(event, version))),
    event: event.register === 3 ? event.name : '',
    event_payload: event.payload,
  }))
  return {
    log: utf8(JSON.stringify(list)),
    rtmrs: extended(happened.map((event) => ({ register: event.register, digest: digestOf(event, version) }))),
    mrConfigId: concatBytes(Uint8Array.of(1), digest('sha256', utf8(TEST_COMPOSE)), new Uint8Array(15)),
  }
}
