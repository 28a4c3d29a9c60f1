import { latin1 } from '../../core/bytes.ts'
import { type Decoding, decodeLayout, type Field, type Layout } from '../../core/layout.ts'
import { attemptAsync, fail, failed, type NonEmpty, type Outcome, ok, refuse, take } from '../../core/outcome.ts'
import { called, loadLibrary, type NativeArgument, type NativeLibrary } from '../native/load.ts'
import { NVML_ERROR_FUNCTION_NOT_FOUND, NVML_SUCCESS, nvmlFault } from './returns.ts'

/** Names that a driver installs its library under. A path given by the operator stands in their place. */
const LIBRARY_NAMES = ['libnvidia-ml.so.1', 'libnvidia-ml.so'] as const

type Fields = Readonly<Record<string, Field<unknown>>>

/** NVML, initialised. Every call that NVML refuses is a fault with NVML's own name of the reason. */
export class NvmlSession {
  readonly #library: NativeLibrary

  private constructor(library: NativeLibrary) {
    this.#library = library
  }

  /**
   * Runs `use` between nvmlInit_v2 and nvmlShutdown.
   * @param path of the library, where the operator names one
   * @returns what `use` gives, or COLLECT_FFI_ABSENT · COLLECT_NVML_LIBRARY_ABSENT · COLLECT_NVML_*
   */
  static async with<T>(path: string | undefined, use: (nvml: NvmlSession) => Promise<Outcome<T>>): Promise<Outcome<T>> {
    const library = await loadLibrary(path === undefined ? LIBRARY_NAMES : [path], (reason) =>
      fail('COLLECT_NVML_LIBRARY_ABSENT', path ?? LIBRARY_NAMES[0], { actual: reason }),
    )
    if (!library.ok) return library
    const nvml = new NvmlSession(library.value)
    const started = await nvml.#call('nvmlInit_v2', 'int nvmlInit_v2(void)', 'nvml')
    if (!started.ok) return started
    try {
      return await use(nvml)
    } finally {
      // What it answers changes nothing any more.
      await nvml.#call('nvmlShutdown', 'int nvmlShutdown(void)', 'nvml')
    }
  }

  async #call(name: string, declaration: string, about: string, ...args: NativeArgument[]): Promise<Outcome<void>> {
    const path = `${about}.${name}`
    const f = this.#library.find(declaration)
    if (f === undefined) return failed([nvmlFault(NVML_ERROR_FUNCTION_NOT_FOUND, path)])
    const result = await called(f, ...args)
    return result === NVML_SUCCESS ? ok(undefined) : failed([nvmlFault(result, path)])
  }

  /** A text about the system, e.g. nvmlSystemGetDriverVersion. */
  systemText(name: string, bytes: number): Promise<Outcome<string>> {
    return this.#text(name, `int ${name}(uint8_t *text, unsigned int length)`, 'nvml', bytes)
  }

  /** A text about one GPU, e.g. nvmlDeviceGetUUID. */
  deviceText(name: string, device: Device, bytes: number): Promise<Outcome<string>> {
    return this.#text(
      name,
      `int ${name}(void *device, uint8_t *text, unsigned int length)`,
      device.id,
      bytes,
      device.handle,
    )
  }

  #text(name: string, declaration: string, about: string, size: number, ...before: NativeArgument[]) {
    return attemptAsync(async () => {
      const text = new Uint8Array(size)
      take(await this.#call(name, declaration, about, ...before, text, size))
      const end = text.indexOf(0)
      return latin1(end < 0 ? text : text.subarray(0, end))
    })
  }

  /** A number about the system or one GPU, e.g. nvmlDeviceGetCount_v2. */
  number(name: string, device?: Device): Promise<Outcome<number>> {
    return attemptAsync(async () => {
      const out = new Uint32Array(1)
      const parameters = device === undefined ? '' : 'void *device, '
      const before = device === undefined ? [] : [device.handle]
      take(await this.#call(name, `int ${name}(${parameters}uint32_t *out)`, device?.id ?? 'nvml', ...before, out))
      return out[0] ?? 0
    })
  }

  /** A structure about the system or one GPU. @param fill what has to stand in it before the call */
  structure<F extends Fields>(
    name: string,
    layout: Layout<F>,
    fill: (view: DataView, bytes: Uint8Array) => void = () => {},
    device?: Device,
  ): Promise<Outcome<Decoding<F>>> {
    return attemptAsync(async () => {
      const out = new Uint8Array(layout.sizeBytes)
      fill(new DataView(out.buffer), out)
      const parameters = device === undefined ? '' : 'void *device, '
      const before = device === undefined ? [] : [device.handle]
      take(await this.#call(name, `int ${name}(${parameters}uint8_t *out)`, device?.id ?? 'nvml', ...before, out))
      return take(
        decodeLayout(layout, out, name, {
          size: 'COLLECT_NVML_ANSWER_INVALID',
          reserved: 'COLLECT_NVML_ANSWER_INVALID',
        }),
      )
    })
  }

  /** The GPUs, in NVML's order, or COLLECT_NVML_NO_GPU. */
  devices(): Promise<Outcome<NonEmpty<Device>>> {
    return attemptAsync(async () => {
      const count = take(await this.number('nvmlDeviceGetCount_v2'))
      if (count === 0) return refuse('COLLECT_NVML_NO_GPU', 'nvml.nvmlDeviceGetCount_v2', { actual: 0 })
      const first = await this.#device(0)
      const others: Device[] = []
      for (let index = 1; index < count; index++) others.push(await this.#device(index))
      return [first, ...others]
    })
  }

  async #device(index: number): Promise<Device> {
    const handle = new BigUint64Array(1)
    const id = `gpu-${index}`
    const name = 'nvmlDeviceGetHandleByIndex_v2'
    take(await this.#call(name, `int ${name}(unsigned int index, uint64_t *device)`, id, index, handle))
    return { id, handle: handle[0] ?? 0n }
  }
}

export interface Device {
  /** `gpu-0` */
  readonly id: string
  readonly handle: bigint
}
