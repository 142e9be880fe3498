using EgressAppliance.Capture;
using EgressAppliance.Host.Config;
#if WITH_SHARPPCAP
using EgressAppliance.Capture.SharpPcap;
#endif

namespace EgressAppliance.Host.Pipeline;

/// <summary>The SharpPcap backend where the build has it (docs/adr/0006); asking for it elsewhere is a configuration error before this is reached.</summary>
internal static class SharpPcapBackend
{
#if WITH_SHARPPCAP
    public static IPacketSource Open(CaptureSourceConfig source) => SharpPcapSource.Open(
        new SharpPcapOptions
        {
            Interface = source.Interface,
            SnapLength = source.Snaplen,
            BufferBytes = (int)Math.Min(source.RingBytes, int.MaxValue),
            Filter = source.Filter,
            Promiscuous = source.Promiscuous,
        },
        TimeProvider.System);
#else
    public static IPacketSource Open(CaptureSourceConfig source) =>
        throw new CaptureException(CaptureError.BadOption, source.Interface, "backend: this build has no sharppcap (make WITH_SHARPPCAP=1)");
#endif
}
