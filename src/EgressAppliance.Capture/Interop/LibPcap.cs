using System.Reflection;
using System.Runtime.InteropServices;

namespace EgressAppliance.Capture.Interop;

/// <summary>The part of libpcap that compiles filters (pcap_compile(3PCAP)). Nothing is captured with it.</summary>
internal static unsafe partial class LibPcap
{
    public const uint NetmaskUnknown = 0xFFFF_FFFF;
    public const int ErrorBufferBytes = 256;
    public const int ErrorNoSuchDevice = -5;
    public const int ErrorPermission = -8;
    public const int ErrorInterfaceNotUp = -9;

    private const string Name = "pcap";

    static LibPcap()
    {
        // Debian keeps the old soname; others have .so.1. The bare .so exists only where development files are installed.
        NativeLibrary.SetDllImportResolver(typeof(LibPcap).Assembly, Resolve);
    }

    [LibraryImport(Name, EntryPoint = "pcap_open_dead")]
    public static partial nint OpenDead(int linkType, int snapLength);

    [LibraryImport(Name, EntryPoint = "pcap_create", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint Create(string source, byte* errorBuffer);

    [LibraryImport(Name, EntryPoint = "pcap_set_snaplen")]
    public static partial int SetSnapLength(nint pcap, int snapLength);

    [LibraryImport(Name, EntryPoint = "pcap_activate")]
    public static partial int Activate(nint pcap);

    [LibraryImport(Name, EntryPoint = "pcap_compile", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Compile(nint pcap, FilterProgram* program, string expression, int optimize, uint netmask);

    [LibraryImport(Name, EntryPoint = "pcap_freecode")]
    public static partial void FreeCode(FilterProgram* program);

    [LibraryImport(Name, EntryPoint = "pcap_close")]
    public static partial void Close(nint pcap);

    /// <summary>The error of the last call on this handle.</summary>
    public static string ErrorText(nint pcap) => Marshal.PtrToStringUTF8(GetError(pcap)) ?? "unknown error";

    [LibraryImport(Name, EntryPoint = "pcap_geterr")]
    private static partial nint GetError(nint pcap);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name == Name)
        {
            foreach (string file in (string[])["libpcap.so.0.8", "libpcap.so.1", "libpcap.so"])
            {
                if (NativeLibrary.TryLoad(file, assembly, path, out nint handle))
                {
                    return handle;
                }
            }
        }

        return 0;
    }
}
