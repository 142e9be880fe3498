using System.ComponentModel;
using System.Runtime.InteropServices;

namespace EgressAppliance.Net.Lpm;

/// <summary>
/// A range of address space (mmap(2)) of which a growing part may be written. The rest reads as zeros and takes no memory, nor does it count where the
/// system does not overcommit, since it is not writable. Linux only.
/// </summary>
internal sealed unsafe partial class AddressSpace : IDisposable
{
    private const int ProtRead = 1;
    private const int ProtWrite = 2;
    private const int MapPrivateAnonymous = 0x22;
    private const int MadvHugePage = 14;
    private readonly byte* _mapping;
    private readonly nuint _mapped;
    private bool _disposed;

    /// <param name="bytes">Bytes of the range.</param>
    /// <exception cref="InsufficientMemoryException">The system does not give so much address space.</exception>
    public AddressSpace(nuint bytes)
    {
        // Invariant: the mapping is a huge page longer than the range, so that the aligned range ends inside it.
        _mapped = bytes + HugePageBytes;
        _mapping = (byte*)Map(null, _mapped, ProtRead, MapPrivateAnonymous, -1, 0);
        if (_mapping == (byte*)-1)
        {
            throw new InsufficientMemoryException($"No address space for a lookup table: {new Win32Exception().Message}.");
        }

        Start = (byte*)(((nuint)_mapping + HugePageBytes - 1) & ~(nuint)(HugePageBytes - 1));
    }

    /// <summary>Bytes of a huge page on x86-64 and arm64.</summary>
    public const int HugePageBytes = 2 << 20;

    /// <summary>The first byte of the range, at the start of a huge page.</summary>
    public byte* Start { get; }

    /// <summary>Makes a part writable, whole huge pages of it, and asks for 2 MiB pages there: with 4 KiB pages nearly every lookup misses the TLB as well.</summary>
    /// <returns>False where the system has no such pages to offer, which costs speed only.</returns>
    /// <exception cref="InsufficientMemoryException">The system has no more.</exception>
    public bool Open(nuint offset, nuint bytes)
    {
        // Invariant: the caller's part lies inside the range.
        if (Protect(Start + offset, bytes, ProtRead | ProtWrite) != 0)
        {
            throw new InsufficientMemoryException($"No memory for a lookup table: {new Win32Exception().Message}.");
        }

        return Advise(Start + offset, bytes, MadvHugePage) == 0;
    }

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            // Invariant: the owner has been told that nobody uses the range any more.
            _ = Unmap(_mapping, _mapped);
        }
    }

    [LibraryImport("libc", EntryPoint = "mmap", SetLastError = true)]
    private static partial void* Map(void* address, nuint length, int protection, int flags, int descriptor, long offset);

    [LibraryImport("libc", EntryPoint = "mprotect", SetLastError = true)]
    private static partial int Protect(void* address, nuint length, int protection);

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);

    [LibraryImport("libc", EntryPoint = "munmap")]
    private static partial int Unmap(void* address, nuint length);
}
