using System.Globalization;
using EgressAppliance.Capture.AfPacket;

namespace EgressAppliance.Host.Pipeline;

/// <summary>
/// What the kernel says of a capture interface (Documentation/ABI/testing/sysfs-class-net, sysfs-class-net-statistics). Its counters are the driver's: they
/// run from the interface's creation and count what was lost before any packet socket could see it.
/// </summary>
public sealed record InterfaceReading
{
    /// <summary>There is such an interface.</summary>
    public bool Exists { get; init; }

    /// <summary>It is administratively up (IFF_UP).</summary>
    public bool Up { get; init; }

    /// <summary>It has a carrier; null where the driver does not say, or it is down.</summary>
    public bool? Carrier { get; init; }

    /// <summary>Hardware type (ARPHRD); 1 is Ethernet.</summary>
    public int HardwareType { get; init; }

    /// <summary>MTU, bytes.</summary>
    public int Mtu { get; init; }

    /// <summary>Frames that the NIC dropped for want of receive descriptors: rx_missed_errors, rx_over_errors and rx_fifo_errors.</summary>
    public long Missed { get; init; }

    /// <summary>Frames that the driver or the kernel's input queue dropped (rx_dropped), and such as no protocol of this host takes.</summary>
    public long Dropped { get; init; }

    /// <summary>Received segments are merged (GRO or LRO); null where the kernel does not say.</summary>
    public bool? MergesSegments { get; init; }

    /// <summary>Reads all of it.</summary>
    /// <param name="name">The interface.</param>
    /// <param name="root">Where the interfaces' folders are.</param>
    public static InterfaceReading Read(string name, string root = "/sys/class/net")
    {
        string folder = Path.Combine(root, name);
        if (name.Length == 0 || !Directory.Exists(folder))
        {
            return new InterfaceReading();
        }

        return new InterfaceReading
        {
            Exists = true,
            Up = (Number("flags") & 1) != 0,
            Carrier = Text("carrier") switch { "1" => true, "0" => false, _ => null },
            HardwareType = (int)Number("type"),
            Mtu = (int)Number("mtu"),
            Missed = Number("statistics/rx_missed_errors") + Number("statistics/rx_over_errors") + Number("statistics/rx_fifo_errors"),
            Dropped = Number("statistics/rx_dropped"),
            MergesSegments = AfPacketSource.MergesSegments(name),
        };

        string Text(string file)
        {
            try
            {
                return File.ReadAllText(Path.Combine(folder, file)).Trim();
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The interface may go while it is read, and a file may be refused while it is down.
                return "";
            }
        }

        long Number(string file)
        {
            string text = Text(file);
            return text.StartsWith("0x", StringComparison.Ordinal)
                ? long.TryParse(text.AsSpan(2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out long hex) ? hex : 0
                : long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long number) ? number : 0;
        }
    }
}
