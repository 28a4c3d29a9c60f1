import { join } from 'node:path'
import type { Code } from '../../core/codes.ts'
import { attemptAsync, fail, failed, type Outcome, ok, refuse, take } from '../../core/outcome.ts'
import { called, loadLibrary, type NativeArgument, type NativeFunction, type NativeLibrary } from '../native/load.ts'
import { responseFault, responseText } from './responses.ts'

/** Structures that cross between wire form and C; tpm2-tss itself does the crossing, so none is laid out here. */
export type Structure =
  | 'TPM2B_DIGEST'
  | 'TPM2B_DATA'
  | 'TPM2B_NAME'
  | 'TPM2B_PUBLIC'
  | 'TPM2B_PRIVATE'
  | 'TPM2B_SENSITIVE_CREATE'
  | 'TPM2B_CREATION_DATA'
  | 'TPM2B_ATTEST'
  | 'TPM2B_ID_OBJECT'
  | 'TPM2B_ENCRYPTED_SECRET'
  | 'TPM2B_MAX_NV_BUFFER'
  | 'TPM2B_NV_PUBLIC'
  | 'TPML_DIGEST'
  | 'TPML_PCR_SELECTION'
  | 'TPMT_SIG_SCHEME'
  | 'TPMT_SIGNATURE'
  | 'TPMT_SYM_DEF'
  | 'TPMS_CAPABILITY_DATA'

/** One argument of an Esys function. */
export type Argument =
  | { readonly u32: number }
  | { readonly u16: number }
  | { readonly u8: number }
  /** ESYS_TR that the function may change */
  | { readonly handleAt: number }
  | { readonly give: Structure; readonly wire: Uint8Array }
  | { readonly want: Structure }
  /** a result that nobody reads: freed */
  | 'dropped'
  /** ESYS_TR that the function makes */
  | 'handle'
  /** a number that nobody reads */
  | 'number'
  | 'null'

export interface Results {
  /** wire forms of what was wanted, in order */
  readonly wires: readonly Uint8Array[]
  readonly handles: readonly number[]
}

/** ESYS_TR of things that are always there. */
export const TR = { none: 0xfff, password: 0x0ff, owner: 0x101, null: 0x107, endorsement: 0x10b } as const

export const NO_SESSIONS: readonly Argument[] = [{ u32: TR.none }, { u32: TR.none }, { u32: TR.none }]
/** One authorisation by the empty password. */
export const BY_PASSWORD: readonly Argument[] = [{ u32: TR.password }, { u32: TR.none }, { u32: TR.none }]

/** The one structure that a command gives. */
export function wireOf({ wires: [wire] }: Results): Uint8Array {
  if (wire === undefined) throw new TypeError('the command gives a structure')
  return wire
}

/** The one handle that a command gives. */
export function handleOf({ handles: [handle] }: Results): number {
  if (handle === undefined) throw new TypeError('the command gives a handle')
  return handle
}

/** Larger than any structure of TPM 2.0 in C or on the wire. */
const STRUCTURE_BYTES = 8192

/**
 * A TPM 2.0 through tpm2-tss: one ESYS context. It takes one call at a time and answers a second one with an error (0x70007), so calls wait here for one
 * another; every structure that it hands out is freed, whatever happens to it.
 */
export class Esys {
  readonly #libraries: Libraries
  readonly #context = new BigUint64Array(1)
  readonly #tcti = new BigUint64Array(1)
  /** Calls come one by one, so their memory is used again: a structure for each argument, and a wire form. */
  readonly #structures: Uint8Array[] = []
  readonly #wire = new Uint8Array(STRUCTURE_BYTES)
  #last: Promise<unknown> = Promise.resolve()
  #isOpen = false

  private constructor(libraries: Libraries) {
    this.#libraries = libraries
  }

  /**
   * @param tcti how the TPM is reached, as tpm2-tss writes it: `device:/dev/tpmrm0`, `swtpm:path=/run/tpm`
   * @param folder of the libraries of tpm2-tss, where they are not in the places of the system
   * @returns the context, or COLLECT_FFI_ABSENT · COLLECT_TPM_LIBRARY_ABSENT · COLLECT_TPM_UNREACHABLE
   */
  static open(tcti = 'device:/dev/tpmrm0', folder?: string): Promise<Outcome<Esys>> {
    return attemptAsync(async () => {
      const esys = new Esys(take(await loadLibraries(folder)))
      const { tctildr, esys: library } = esys.#libraries
      const initTcti = needed(tctildr, 'uint32_t Tss2_TctiLdr_Initialize(const char *name, uint64_t *context)')
      const reached = await called(initTcti, tcti, esys.#tcti)
      if (reached !== 0) return refuse('COLLECT_TPM_UNREACHABLE', tcti, { actual: responseText(reached) })
      const init = needed(library, 'uint32_t Esys_Initialize(uint64_t *context, void *tcti, void *version)')
      const started = await called(init, esys.#context, esys.#tcti[0] ?? 0n, null)
      esys.#isOpen = true
      if (started === 0) return esys
      await esys.close()
      return refuse('COLLECT_TPM_UNREACHABLE', tcti, { actual: responseText(started) })
    })
  }

  /** Waits for what is under way, and gives everything back. */
  close(): Promise<void> {
    return this.#alone(async () => {
      if (!this.#isOpen) return
      this.#isOpen = false
      const { tctildr, esys } = this.#libraries
      needed(esys, 'void Esys_Finalize(uint64_t *context)')(this.#context)
      needed(tctildr, 'void Tss2_TctiLdr_Finalize(uint64_t *context)')(this.#tcti)
    })
  }

  /**
   * Calls `Esys_<name>` when everything before it is done.
   * @param special response codes that mean something else to this command
   * @returns what it gives, or COLLECT_TPM_FAILED · COLLECT_TPM_LOCKED_OUT · COLLECT_TPM_AUTHORISATION_REFUSED ·
   * COLLECT_TPM_OUT_OF_MEMORY, or a special one
   * @throws TypeError on a closed context
   */
  run(name: string, args: readonly Argument[], special?: ReadonlyMap<number, Code>): Promise<Outcome<Results>> {
    return this.#alone(async () => {
      if (!this.#isOpen) throw new TypeError('the TPM was closed')
      return this.#call(name, args, special)
    })
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(work)
    this.#last = mine.catch(() => undefined)
    return mine
  }

  async #call(name: string, args: readonly Argument[], special?: ReadonlyMap<number, Code>): Promise<Outcome<Results>> {
    const types = args.map((argument, i) => `${typeOf(argument)}a${i}`)
    const f = needed(this.#libraries.esys, `uint32_t Esys_${name}(void *context, ${types.join(', ')})`)
    const memory = args.map((argument, i) => this.#memoryOf(argument, i))
    const rc = await called(f, this.#context[0] ?? 0n, ...memory)
    if (rc !== 0) return failed([responseFault(rc, `tpm.${name}`, special)])
    const wires: Uint8Array[] = []
    const handles: number[] = []
    const toFree: bigint[] = []
    try {
      for (const [i, argument] of args.entries()) {
        const out = memory[i]
        if (argument === 'handle' && out instanceof Uint32Array) handles.push(out[0] ?? 0)
        if (!(out instanceof BigUint64Array)) continue
        const address = out[0] ?? 0n
        toFree.push(address)
        if (typeof argument === 'object' && 'want' in argument) wires.push(this.#marshal(argument.want, address))
      }
    } finally {
      const free = needed(this.#libraries.esys, 'void Esys_Free(void *structure)')
      for (const address of toFree) free(address)
    }
    return ok({ wires, handles })
  }

  #memoryOf(argument: Argument, slot: number): NativeArgument {
    if (argument === 'null') return null
    if (argument === 'handle' || argument === 'number') return new Uint32Array(1)
    if (argument === 'dropped' || 'want' in argument) return new BigUint64Array(1)
    if ('give' in argument) return this.#unmarshal(argument.give, argument.wire, slot)
    if ('handleAt' in argument) return Uint32Array.of(argument.handleAt)
    if ('u8' in argument) return argument.u8
    return 'u32' in argument ? argument.u32 : argument.u16
  }

  /** @throws TypeError for a wire form that is none: it is ours */
  #unmarshal(structure: Structure, wire: Uint8Array, slot: number): Uint8Array {
    const f = needed(
      this.#libraries.mu,
      `uint32_t Tss2_MU_${structure}_Unmarshal(uint8_t *wire, size_t size, uint64_t *offset, uint8_t *structure)`,
    )
    this.#structures[slot] ??= new Uint8Array(STRUCTURE_BYTES)
    const memory = this.#structures[slot].fill(0)
    const rc = f(wire, wire.length, new BigUint64Array(1), memory)
    if (rc !== 0) throw new TypeError(`${structure}: ${responseText(rc)}`)
    return memory
  }

  #marshal(structure: Structure, address: bigint): Uint8Array {
    const f = needed(
      this.#libraries.mu,
      `uint32_t Tss2_MU_${structure}_Marshal(void *structure, uint8_t *wire, size_t size, uint64_t *offset)`,
    )
    const wire = this.#wire
    const offset = new BigUint64Array(1)
    const rc = f(address, wire, wire.length, offset)
    if (rc !== 0) throw new TypeError(`${structure}: ${responseText(rc)}`)
    return wire.slice(0, Number(offset[0]))
  }
}

function typeOf(argument: Argument): string {
  if (argument === 'null') return 'void *'
  if (argument === 'handle' || argument === 'number') return 'uint32_t *'
  if (typeof argument === 'object' && 'handleAt' in argument) return 'uint32_t *'
  if (argument === 'dropped' || 'want' in argument) return 'uint64_t *'
  if ('give' in argument) return 'uint8_t *'
  if ('u8' in argument) return 'uint8_t '
  return 'u32' in argument ? 'uint32_t ' : 'uint16_t '
}

interface Libraries {
  readonly tctildr: NativeLibrary
  readonly esys: NativeLibrary
  readonly mu: NativeLibrary
}

const NAMES = {
  tctildr: ['libtss2-tctildr.so.0', 'libtss2-tctildr0'],
  esys: ['libtss2-esys.so.0', 'libtss2-esys-3.0.2-0'],
  mu: ['libtss2-mu.so.0', 'libtss2-mu0'],
} as const

async function loadLibraries(folder: string | undefined): Promise<Outcome<Libraries>> {
  return attemptAsync(async () => {
    const load = async (part: keyof Libraries) => {
      const [soname, packageName] = NAMES[part]
      const name = folder === undefined ? soname : join(folder, soname)
      const absent = (reason: string) =>
        fail('COLLECT_TPM_LIBRARY_ABSENT', name, { expected: `Debian package ${packageName}`, actual: reason })
      return take(await loadLibrary([name], absent))
    }
    return { tctildr: await load('tctildr'), esys: await load('esys'), mu: await load('mu') }
  })
}

/** Every function here has been in tpm2-tss since 2.0. */
function needed(library: NativeLibrary, declaration: string): NativeFunction {
  const f = library.find(declaration)
  if (f === undefined) throw new TypeError(`${library.name} has no ${declaration}`)
  return f
}
