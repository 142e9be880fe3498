using SharpPcap;
using SharpPcap.LibPcap;

namespace EgressAppliance.Capture.SharpPcap;

/// <summary>A live SharpPcap device. The only file that touches the package's types.</summary>
internal sealed class SharpPcapDevice : IPcapDevice
{
    /// <summary>How long a read may wait for a frame, in milliseconds: bounds how late frames are delivered.</summary>
    private const int ReadTimeout = 10;

    private readonly LibPcapLiveDevice _device;

    private SharpPcapDevice(LibPcapLiveDevice device)
    {
        _device = device;
    }

    /// <inheritdoc/>
    public int LinkType => (int)_device.LinkType;

    /// <inheritdoc/>
    public string LastError => _device.LastError;

    /// <inheritdoc/>
    public uint Dropped => _device.Statistics?.DroppedPackets ?? 0;

    /// <summary>Opens an interface.</summary>
    /// <exception cref="CaptureException">It cannot be opened, or the filter is wrong.</exception>
    public static SharpPcapDevice Open(SharpPcapOptions options)
    {
        try
        {
            return new(OpenLive(options));
        }
        catch (PcapException e)
        {
            throw new CaptureException(CaptureError.SystemCall, options.Interface, e.Message, e);
        }
        catch (DllNotFoundException e)
        {
            throw new CaptureException(CaptureError.LibpcapMissing, options.Interface, "libpcap is not installed (Debian: libpcap0.8)", e);
        }
    }

    /// <inheritdoc/>
    public int NextPacket(ref nint header, ref nint data) => _device.GetNextPacketPointers(ref header, ref data);

    /// <inheritdoc/>
    public void Dispose() => _device.Dispose();

    private static LibPcapLiveDevice OpenLive(SharpPcapOptions options)
    {
        foreach (LibPcapLiveDevice device in LibPcapLiveDeviceList.New())
        {
            if (device.Name != options.Interface)
            {
                continue;
            }

            try
            {
                device.Open(new DeviceConfiguration
                {
                    Mode = options.Promiscuous ? DeviceModes.Promiscuous : DeviceModes.None,
                    ReadTimeout = ReadTimeout,
                    Snaplen = options.SnapLength,
                    BufferSize = options.BufferBytes,
                });
                SetFilter(device, options);
                return device;
            }
            catch
            {
                device.Dispose();
                throw;
            }
        }

        throw new CaptureException(CaptureError.NoSuchInterface, options.Interface, "no such interface, or no right to capture on it (CAP_NET_RAW)");
    }

    private static void SetFilter(LibPcapLiveDevice device, SharpPcapOptions options)
    {
        if (options.Filter.Length == 0)
        {
            return;
        }

        try
        {
            device.Filter = options.Filter;
        }
        catch (PcapException e)
        {
            throw new CaptureException(CaptureError.BadFilter, options.Interface, $"filter \"{options.Filter}\": {e.Message}", e);
        }
    }
}
