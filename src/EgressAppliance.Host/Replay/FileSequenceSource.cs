using EgressAppliance.Capture;
using EgressAppliance.Capture.PcapFile;

namespace EgressAppliance.Host.Replay;

/// <summary>One of the sources that read the files of a <see cref="FileQueue"/>, so that any number of files needs no more threads than there are cores.</summary>
internal sealed class FileSequenceSource(string name, FileQueue files) : IPacketSource
{
    private PcapFileSource? _current;
    private long _frames;

    public string Name => name;

    public SourceReadStatus Read(FrameBlock block, TimeSpan timeout)
    {
        while (true)
        {
            _current ??= files.Take();
            if (_current is null)
            {
                return SourceReadStatus.End;
            }

            if (_current.Read(block, timeout) == SourceReadStatus.Frames)
            {
                return SourceReadStatus.Frames;
            }

            Volatile.Write(ref _frames, _frames + _current.GetStatistics().ReceivedFrames);
            files.Finish(_current);
            _current = null;
        }
    }

    public SourceStatistics GetStatistics() => new(Volatile.Read(ref _frames), 0, 0);

    public void Dispose()
    {
        if (_current is not null)
        {
            files.Finish(_current);
            _current = null;
        }
    }
}
