// The few signatures of SharpPcap 6.3.1 and PacketDotNet 1.4.8 that the adapter uses, so that it compiles where no registry serves
// the packages. Compiled against only: nothing here is ever run or shipped.
using System.Collections.ObjectModel;

namespace PacketDotNet
{
    public enum LinkLayers
    {
        Null = 0,
        Ethernet = 1,
    }
}

namespace SharpPcap
{
    [Flags]
    public enum DeviceModes : short
    {
        None = 0,
        Promiscuous = 1,
    }

    public interface ICaptureStatistics
    {
        uint ReceivedPackets { get; }

        uint DroppedPackets { get; }
    }

    public class DeviceConfiguration
    {
        public DeviceModes Mode { get; set; }

        public int ReadTimeout { get; set; }

        public int Snaplen { get; set; }

        public int? BufferSize { get; set; }
    }

    public class PcapException : Exception
    {
        public PcapException()
        {
        }

        public PcapException(string message)
            : base(message)
        {
        }

        public PcapException(string message, Exception innerException)
            : base(message, innerException)
        {
        }
    }
}

namespace SharpPcap.LibPcap
{
    public abstract class PcapDevice : IDisposable
    {
        public abstract string Name { get; }

        public string LastError => "";

        public PacketDotNet.LinkLayers LinkType => PacketDotNet.LinkLayers.Ethernet;

        public abstract ICaptureStatistics Statistics { get; }

        public string Filter { get; set; } = "";

        public abstract void Open(DeviceConfiguration configuration);

        public int GetNextPacketPointers(ref IntPtr header, ref IntPtr data) => -1;

        public void Dispose()
        {
            Dispose(true);
            GC.SuppressFinalize(this);
        }

        protected virtual void Dispose(bool disposing)
        {
        }
    }

    public abstract class LibPcapLiveDevice : PcapDevice
    {
    }

    public sealed class LibPcapLiveDeviceList : ReadOnlyCollection<LibPcapLiveDevice>
    {
        private LibPcapLiveDeviceList()
            : base([])
        {
        }

        public static LibPcapLiveDeviceList New() => new();
    }
}
