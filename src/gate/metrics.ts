/** Counters in the text format of Prometheus. */
export interface Metrics {
  count(name: string, labels: Readonly<Record<string, string>>, by?: number): void
  /** A value that is read when somebody asks. */
  gauge(name: string, help: string, read: () => number): void
  /** The exposition, in the order of first use. */
  text(): string
}

interface Family {
  readonly help: string
  readonly cells: Map<string, { value: number }>
}

/**
 * @param families name and help of every counter; counting under another name is an error of the programmer
 */
export function createMetrics(families: Readonly<Record<string, string>>): Metrics {
  const counters = new Map<string, Family>(
    Object.entries(families).map(([name, help]) => [name, { help, cells: new Map() }]),
  )
  const gauges = new Map<string, { readonly help: string; readonly read: () => number }>()
  return {
    count(name, labels, by = 1) {
      const family = counters.get(name)
      if (family === undefined) throw new TypeError(`no counter ${name}`)
      let key = ''
      for (const label of Object.keys(labels))
        key += `${key === '' ? '' : ','}${label}="${escaped(labels[label] ?? '')}"`
      const cell = family.cells.get(key)
      if (cell === undefined) family.cells.set(key, { value: by })
      else cell.value += by
    },
    gauge(name, help, read) {
      gauges.set(name, { help, read })
    },
    text() {
      const lines: string[] = []
      for (const [name, { help, cells }] of counters) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} counter`)
        for (const [labels, { value }] of cells)
          lines.push(labels === '' ? `${name} ${value}` : `${name}{${labels}} ${value}`)
      }
      for (const [name, { help, read }] of gauges) {
        lines.push(`# HELP ${name} ${help}`, `# TYPE ${name} gauge`, `${name} ${read()}`)
      }
      return `${lines.join('\n')}\n`
    },
  }
}

const escaped = (value: string): string =>
  /[\\\n"]/.test(value) ? value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"') : value
