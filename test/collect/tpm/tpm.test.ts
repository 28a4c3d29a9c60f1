import { spawnSync } from 'node:child_process'
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import {
  activateCredential,
  azureCollector,
  banks,
  createAk,
  createEk,
  flush,
  loadAk,
  manufacturer,
  persistentKey,
  quote,
  readEventLog,
  readNv,
  readPcrs,
  Tpm,
  tpmCollector,
  withTpm,
  writeNv,
} from '../../../src/collect/index.ts'
import { responseFault, responseText } from '../../../src/collect/tpm/responses.ts'
import { concatBytes, indexOfBytes, utf8 } from '../../../src/core/bytes.ts'
import type { Code } from '../../../src/core/codes.ts'
import { NODE_FLAGS } from '../../cli/run.ts'
import { codesOf, valueIn } from '../../core/support.ts'
import { NONCE } from '../../reject/stage.ts'
import { describeWith } from '../../support/tools.ts'
import { SoftwareTpm, SWTPM, SWTPM_TOOLS, TPM2_TOOLS, TSS } from './swtpm.ts'

/** Independent reading of a TPMT_PUBLIC: the key's numbers stand at its end. */
function keyOf(area: Uint8Array): KeyObject {
  const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')
  const jwk =
    area[1] === 0x01
      ? { kty: 'RSA', n: base64url(area.subarray(-256)), e: 'AQAB' }
      : { kty: 'EC', crv: 'P-256', x: base64url(area.subarray(-66, -34)), y: base64url(area.subarray(-32)) }
  return createPublicKey({ key: jwk, format: 'jwk' })
}

/** The plain signature in a TPMT_SIGNATURE of RSASSA or ECDSA P-256. */
function plainSignature(signature: Uint8Array): Uint8Array {
  const view = new DataView(signature.buffer, signature.byteOffset)
  const first = signature.subarray(6, 6 + view.getUint16(4))
  if (view.getUint16(0) === 0x14) return first
  const second = signature.subarray(8 + first.length)
  const padded = (half: Uint8Array) => concatBytes(new Uint8Array(32 - half.length), half)
  return concatBytes(padded(first), padded(second))
}

const isSigned = (area: Uint8Array, { attest, signature }: { attest: Uint8Array; signature: Uint8Array }) =>
  verify('sha256', attest, { key: keyOf(area), dsaEncoding: 'ieee-p1363' }, plainSignature(signature))

describeWith([SWTPM, TSS], 'a TPM through tpm2-tss', () => {
  let machine: SoftwareTpm
  let tpm: Tpm
  beforeAll(async () => {
    machine = await new SoftwareTpm().ready()
    tpm = valueIn(await Tpm.open(machine.tcti))
  })
  afterAll(async () => {
    await tpm.close()
    await machine.stop()
  })

  it('says who made it and which banks it keeps', async () => {
    expect(valueIn(await manufacturer(tpm))).toBe('IBM')
    expect(valueIn(await banks(tpm))).toContain('sha256')
  })

  it('reads registers, more than eight at a time', async () => {
    const values = valueIn(await readPcrs(tpm, 'sha256', [...Array(24).keys()]))
    expect(values.size).toBe(24)
    expect(values.get(0)).toEqual(new Uint8Array(32))
    expect(values.get(17)).toEqual(new Uint8Array(32).fill(0xff))
  })

  it.each(['ecc', 'rsa'] as const)('quotes under a restricted %s key below the EK', async (kind) => {
    const ek = valueIn(await createEk(tpm, kind))
    const blob = valueIn(await createAk(tpm, ek, kind))
    const ak = valueIn(await loadAk(tpm, ek, blob))
    const nonce = NONCE.subarray(0, 32)
    const quoted = valueIn(await quote(tpm, ak, nonce, 'sha256', [0, 7]))
    expect(Buffer.from(quoted.attest.subarray(0, 6)).toString('hex')).toBe('ff5443478018')
    expect(indexOfBytes(quoted.attest, nonce) > 0).toBe(true)
    expect([...quoted.attest.subarray(-32)]).toEqual([...createHash('sha256').update(new Uint8Array(64)).digest()])
    expect(isSigned(ak.publicArea, quoted)).toBe(true)
    expect(isSigned(ak.publicArea, { ...quoted, attest: quoted.attest.with(10, 0xff) })).toBe(false)
    // The same template gives the same EK, and the blob is the same AK again.
    const again = valueIn(await createEk(tpm, kind))
    expect(again.publicArea).toEqual(ek.publicArea)
    for (const key of [ak, ek, again]) expect((await flush(tpm, key)).ok).toBe(true)
  })

  it('lets calls that overlap wait for one another', async () => {
    const values = await Promise.all(Array.from({ length: 20 }, () => readPcrs(tpm, 'sha256', [0])))
    expect(values.every((value) => value.ok)).toBe(true)
  })

  it('keeps memory flat over many quotes', async () => {
    const own = await new SoftwareTpm().ready()
    try {
      const quotes = process.env.VOUCHSAFE_QUOTES ?? '300'
      const args = [...NODE_FLAGS, '--expose-gc', join(import.meta.dirname, 'quotes-child.ts'), own.tcti, quotes]
      const ran = spawnSync(process.execPath, args, { encoding: 'utf8' })
      expect([ran.status, ran.stderr]).toEqual([0, ''])
      // What a quote gives out is 3 kB: ten thousand that are not given back are 30 MB.
      expect(Number(ran.stdout)).toBeLessThan(8 * 1024 * 1024)
    } finally {
      await own.stop()
    }
  })

  it('writes and reads NV, of more than one piece, and defines what is not there', async () => {
    const bytes = Uint8Array.from({ length: 1500 }, (_, i) => i)
    expect(codesOf(await readNv(tpm, 0x01400010))).toEqual(['COLLECT_TPM_NV_ABSENT'])
    expect((await writeNv(tpm, 0x01400010, bytes.subarray(0, 900))).ok).toBe(true)
    expect(valueIn(await readNv(tpm, 0x01400010))).toEqual(bytes.subarray(0, 900))
    expect((await writeNv(tpm, 0x01400010, utf8('anew'))).ok).toBe(true)
    expect(valueIn(await readNv(tpm, 0x01400010)).subarray(0, 4)).toEqual(utf8('anew'))
  })

  it('says that a persistent key is not there', async () => {
    expect(codesOf(await persistentKey(tpm, 0x81000003))).toEqual(['COLLECT_TPM_KEY_ABSENT'])
  })

  it('has no room for a fourth key, and says so', async () => {
    const keys = []
    for (let i = 0; i < 3; i++) keys.push(valueIn(await createEk(tpm, 'ecc')))
    expect(codesOf(await createEk(tpm, 'ecc'))).toEqual(['COLLECT_TPM_OUT_OF_MEMORY'])
    for (const key of keys) await flush(tpm, key)
    expect((await flush(tpm, valueIn(await createEk(tpm, 'ecc')))).ok).toBe(true)
  })
})

describeWith([SWTPM, TSS, TPM2_TOOLS], 'activateCredential', () => {
  let machine: SoftwareTpm
  beforeAll(async () => {
    machine = await new SoftwareTpm().ready()
  })
  afterAll(() => machine.stop())

  /** Made by tpm2-tools without a TPM, for these two public areas. */
  function credential(ekPublic: Uint8Array, akPublic: Uint8Array, secret: Uint8Array) {
    const file = (name: string) => join(machine.folder, name)
    const size = new Uint8Array(2)
    new DataView(size.buffer).setUint16(0, ekPublic.length)
    writeFileSync(file('ek.pub'), concatBytes(size, ekPublic))
    writeFileSync(file('secret'), secret)
    const name = `000b${createHash('sha256').update(akPublic).digest('hex')}`
    const args = ['-T', 'none', '-u', file('ek.pub'), '-s', file('secret'), '-n', name, '-o', file('credential')]
    const made = spawnSync('tpm2_makecredential', args, { encoding: 'utf8' })
    if (made.status !== 0) throw new Error(made.stderr)
    const bytes = new Uint8Array(readFileSync(file('credential'))).subarray(8)
    const end = 2 + new DataView(bytes.buffer, bytes.byteOffset).getUint16(0)
    return { idObject: bytes.subarray(0, end), encryptedSecret: bytes.subarray(end) }
  }

  it('opens the credential that was made for these two keys, and no other', async () => {
    const secret = utf8('a secret of sixteen or more')
    const opened = await withTpm(machine.tcti, async (tpm) => {
      const ek = valueIn(await createEk(tpm, 'rsa'))
      const ak = valueIn(await loadAk(tpm, ek, valueIn(await createAk(tpm, ek, 'rsa'))))
      const good = credential(ek.publicArea, ak.publicArea, secret)
      const other = credential(ek.publicArea, ak.publicArea.with(-1, (ak.publicArea.at(-1) ?? 0) ^ 1), secret)
      const right = await activateCredential(tpm, ek, ak, good.idObject, good.encryptedSecret)
      const wrong = await activateCredential(tpm, ek, ak, other.idObject, other.encryptedSecret)
      for (const key of [ak, ek]) await flush(tpm, key)
      return { ok: true, value: { right, wrong } }
    })
    const { right, wrong } = valueIn(opened)
    expect(valueIn(right)).toEqual(secret)
    expect(codesOf(wrong)).toEqual(['COLLECT_TPM_CREDENTIAL_REFUSED'])
  })
})

describeWith([SWTPM, SWTPM_TOOLS, TSS], 'tpmCollector', () => {
  let machine: SoftwareTpm
  beforeAll(async () => {
    machine = await new SoftwareTpm('sha256').ready()
  })
  afterAll(() => machine.stop())

  it('brings a quote with the values it is about, certificate and log', async () => {
    await withTpm(machine.tcti, (tpm) => writeNv(tpm, 0x01c10000, utf8('a certificate')))
    const log = join(machine.folder, 'binary_bios_measurements')
    writeFileSync(log, 'a log')
    const collector = tpmCollector({
      tcti: machine.tcti,
      ak: { create: 'ecc' },
      bank: 'sha256',
      registers: [0, 4, 7],
      certificateNv: 0x01c10000,
      eventLog: log,
    })
    expect((await collector.probe()).facts).toMatchObject({ manufacturer: 'IBM' })
    const { evidence } = valueIn(await collector.collect({ nonce: NONCE, key: undefined, binding: 'raw' }, []))
    if (evidence.kind !== 'parts') throw new Error('parts were expected')
    const [part] = evidence.parts
    expect(part).toMatchObject({
      id: 'tpm',
      format: 'tpm/quote',
      certs: [utf8('a certificate')],
      eventLog: utf8('a log'),
    })
    const { format, attest, signature, akPublic, pcrs } = JSON.parse(Buffer.from(part.data).toString())
    expect(format).toBe('vouchsafe/tpm-quote/1')
    expect(Object.keys(pcrs.sha256)).toEqual(['0', '4', '7'])
    const bytes = (text: string) => new Uint8Array(Buffer.from(text, 'base64'))
    expect(indexOfBytes(bytes(attest), NONCE.subarray(0, 32)) > 0).toBe(true)
    expect(isSigned(bytes(akPublic), { attest: bytes(attest), signature: bytes(signature) })).toBe(true)
  })

  it('works in a worker thread', async () => {
    const worker = new Worker(join(import.meta.dirname, 'worker.ts'), {
      workerData: machine.tcti,
      execArgv: [...NODE_FLAGS],
    })
    expect(
      await new Promise((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      }),
    ).toBe('quoted')
    await worker.terminate()
  })

  it('asks Azure’s paravisor for a report that holds the answer', async () => {
    expect(
      codesOf(
        await azureCollector({ tcti: machine.tcti }).collect({ nonce: NONCE, key: undefined, binding: 'raw' }, []),
      ),
    ).toEqual(['COLLECT_TPM_NV_ABSENT'])
    await withTpm(machine.tcti, (tpm) => writeNv(tpm, 0x01400001, utf8('HCLA as it was at boot')))
    // What the paravisor does in the meantime is to write a new report.
    const waits: number[] = []
    const wait = async (milliseconds: number) => void waits.push(milliseconds)
    const collector = azureCollector({ tcti: machine.tcti, wait })
    const { evidence } = valueIn(await collector.collect({ nonce: NONCE, key: undefined, binding: 'raw' }, []))
    expect(evidence).toEqual({ kind: 'document', bytes: utf8('HCLA as it was at boot') })
    expect(waits).toEqual([3000])
    expect(valueIn(await withTpm(machine.tcti, (tpm) => readNv(tpm, 0x01400002)))).toEqual(NONCE)
    expect((await collector.probe()).faults).toEqual([])
  })

  it('says that a bank is not allocated', async () => {
    const collector = tpmCollector({ tcti: machine.tcti, ak: { create: 'ecc' }, bank: 'sha1', registers: [0] })
    expect(codesOf(await collector.collect({ nonce: NONCE, key: undefined, binding: 'raw' }, []))).toEqual([
      'COLLECT_TPM_PCR_ABSENT',
    ])
  })

  it('says what it lacks', async () => {
    const nowhere = tpmCollector({ tcti: 'device:/nowhere', ak: { create: 'ecc' }, bank: 'sha256', registers: [0] })
    expect((await nowhere.probe()).faults).toMatchObject([{ code: 'COLLECT_TPM_UNREACHABLE', path: 'device:/nowhere' }])
    expect(await Tpm.open(undefined, '/nowhere')).toMatchObject({
      faults: [{ code: 'COLLECT_TPM_LIBRARY_ABSENT', expected: 'Debian package libtss2-tctildr0' }],
    })
    expect(codesOf(await readEventLog('/nowhere'))).toEqual(['COLLECT_EVENT_LOG_UNREADABLE'])
  })
})

describe('response codes', () => {
  it.each<[number, string, Code]>([
    [0x18b, 'tpm:HANDLE(handle 1) 0x18b', 'COLLECT_TPM_FAILED'],
    [0x1df, 'tpm:INTEGRITY(parameter 1) 0x1df', 'COLLECT_TPM_FAILED'],
    [0x98e, 'tpm:AUTH_FAIL(session 1) 0x98e', 'COLLECT_TPM_AUTHORISATION_REFUSED'],
    [0x921, 'tpm:LOCKOUT 0x921', 'COLLECT_TPM_LOCKED_OUT'],
    [0xc0902, 'resmgr-tpm:OBJECT_MEMORY 0xc0902', 'COLLECT_TPM_OUT_OF_MEMORY'],
    [0x70007, 'esys:BAD_SEQUENCE 0x70007', 'COLLECT_TPM_FAILED'],
    [0xa000a, 'tcti:IO_ERROR 0xa000a', 'COLLECT_TPM_FAILED'],
    [0x630001, 'layer 99:GENERAL_FAILURE 0x630001', 'COLLECT_TPM_FAILED'],
  ])('%d is %s', (rc, text, code) => {
    expect(responseText(rc)).toBe(text)
    expect(responseFault(rc, 'x')).toMatchObject({ code, actual: text })
  })
})
