/** The part of yauzl that is used here; the package ships no types. */
declare module "yauzl" {
  export interface Entry {
    readonly fileName: string;
    readonly compressedSize: number;
    readonly uncompressedSize: number;
    readonly compressionMethod: number;
    readonly relativeOffsetOfLocalHeader: number;
    isEncrypted(): boolean;
  }
  export interface ZipFile {
    readonly entryCount: number;
    readEntry(): void;
    readLocalFileHeader(
      entry: Entry,
      options: { readonly minimal: true },
      callback: (error: Error | null, header: { readonly fileDataStart: number }) => void,
    ): void;
    on(event: "entry", listener: (entry: Entry) => void): this;
    on(event: "end", listener: () => void): this;
    on(event: "error", listener: (error: Error) => void): this;
  }
  export function fromFd(
    fd: number,
    options: { readonly lazyEntries: boolean; readonly autoClose: boolean },
    callback: (error: Error | null, zip: ZipFile) => void,
  ): void;
}
