using System.Runtime.InteropServices;
using EgressAppliance.Net;

namespace EgressAppliance.Benchmarks;

/// <summary>The plain C tables of perf/baselines/lookup, filled from the same prefixes and with the same ids as ours.</summary>
internal sealed unsafe class LookupBaseline : IDisposable
{
    private readonly nint _library;
    private readonly void* _ipv4;
    private readonly void* _ipv6;

    /// <summary>Builds both.</summary>
    /// <param name="table">Gives the ids.</param>
    /// <param name="v4">IPv4 prefixes, sorted.</param>
    /// <param name="v6">IPv6 prefixes no longer than /64, sorted.</param>
    public LookupBaseline(PrefixTable table, IpPrefix[] v4, IpPrefix[] v6)
    {
        _library = NativeLibrary.Load(Find());
        byte[] lengths4 = [.. v4.Select(p => p.Length)];
        byte[] lengths6 = [.. v6.Select(p => p.Length)];
        // Invariant: the arrays of a call are equally long, and the C functions read them only.
        fixed (uint* address = v4.Select(p => p.Address.IPv4Value).ToArray())
        fixed (byte* length = lengths4)
        fixed (uint* id = Ids(table, v4))
        {
            _ipv4 = ((delegate* unmanaged<uint*, byte*, uint*, nint, void*>)Export("dir24_create"))(address, length, id, v4.Length);
        }

        fixed (ulong* address = v6.Select(p => p.Address.High).ToArray())
        fixed (byte* length = lengths6)
        fixed (uint* id = Ids(table, v6))
        {
            _ipv6 = ((delegate* unmanaged<ulong*, byte*, uint*, nint, void*>)Export("poptrie6_create"))(address, length, id, v6.Length);
        }

        if (_ipv4 == null || _ipv6 == null)
        {
            throw new InsufficientMemoryException("No memory for the C tables.");
        }
    }

    /// <summary>Bytes of the C tables.</summary>
    public (long IPv4, long IPv6) Bytes =>
        (((delegate* unmanaged<void*, nint>)Export("dir24_bytes"))(_ipv4), ((delegate* unmanaged<void*, nint>)Export("poptrie6_bytes"))(_ipv6));

    /// <summary>A way to look up IPv4 addresses, by the name of the C function.</summary>
    public Lookup<uint> IPv4(string function)
    {
        var entry = (delegate* unmanaged<void*, uint*, uint*, nint, void>)Export(function);
        return (addresses, ids) =>
        {
            // Invariant: the caller gives room for an id for each address.
            fixed (uint* address = addresses)
            fixed (uint* id = ids)
            {
                entry(_ipv4, address, id, addresses.Length);
            }
        };
    }

    /// <summary>A way to look up the upper halves of IPv6 addresses, by the name of the C function.</summary>
    public Lookup<ulong> IPv6(string function)
    {
        var entry = (delegate* unmanaged<void*, ulong*, uint*, nint, void>)Export(function);
        return (addresses, ids) =>
        {
            // Invariant: the caller gives room for an id for each address.
            fixed (ulong* address = addresses)
            fixed (uint* id = ids)
            {
                entry(_ipv6, address, id, addresses.Length);
            }
        };
    }

    public void Dispose()
    {
        ((delegate* unmanaged<void*, void>)Export("dir24_free"))(_ipv4);
        ((delegate* unmanaged<void*, void>)Export("poptrie6_free"))(_ipv6);
        NativeLibrary.Free(_library);
    }

    private static uint[] Ids(PrefixTable table, IpPrefix[] prefixes) =>
        [.. prefixes.Select(p => table.TryGetId(p, out uint id) ? id : throw new InvalidOperationException($"{p} is not in the table."))];

    private static string Find()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string path = Path.Combine(folder.FullName, "perf", "baselines", "lookup", "bin", "liblookup.so");
            if (File.Exists(path))
            {
                return path;
            }
        }

        throw new FileNotFoundException("The C tables are not built: make -C perf/baselines/lookup");
    }

    private nint Export(string name) => NativeLibrary.GetExport(_library, name);
}

/// <summary>Looks up many addresses at once.</summary>
internal delegate void Lookup<T>(ReadOnlySpan<T> addresses, Span<uint> ids);
