namespace EgressAppliance.Flow;

/// <summary>
/// NetFlow version 9 (RFC 3954) and IPFIX (RFC 7011): sets of templates, and of data that only templates explain. They differ in the header, in how options
/// templates are written, and in enterprise elements, variable lengths and withdrawals, which only IPFIX has.
/// </summary>
internal static class TemplateDecoder
{
    /// <summary>Datagrams by which those that overtake each other step back.</summary>
    private const int DatagramWindow = 64;

    /// <summary>The same in data records.</summary>
    private const int RecordWindow = 64 * 32;

    private const int MinDataSetId = 256;

    public static void DecodeNetFlow9(ReadOnlySpan<byte> datagram, FlowOutput output)
    {
        var r = new FlowReader(datagram);
        r.Take(4);
        uint uptime = r.UInt32();
        long seconds = r.UInt32();
        uint sequence = r.UInt32();
        uint domain = r.UInt32();
        if (r.Failed)
        {
            output.Refuse(FlowStatus.Truncated);
            return;
        }

        output.Decoder.Observe(new(FlowProtocol.NetFlow9, output.Exporter, domain, null, output.Port), DatagramWindow, sequence, 1, uptime);
        // The count of the header is not used: exporters disagree on whether it counts records or sets. The sets have lengths.
        var context = new Context(output, FlowProtocol.NetFlow9, domain, uptime, seconds * 1000 - uptime);
        DecodeSets(ref r, context);
    }

    public static void DecodeIpfix(ReadOnlySpan<byte> datagram, FlowOutput output)
    {
        var r = new FlowReader(datagram);
        r.Take(2);
        int length = r.UInt16();
        r.UInt32();
        uint sequence = r.UInt32();
        uint domain = r.UInt32();
        if (r.Failed || length > datagram.Length)
        {
            output.Refuse(FlowStatus.Truncated);
            return;
        }

        if (length != datagram.Length)
        {
            output.Refuse(FlowStatus.BadLength);
            return;
        }

        var context = new Context(output, FlowProtocol.Ipfix, domain, null, null);
        DecodeSets(ref r, context);
        // The number is that of the records before this message. What a refused set held cannot be counted.
        uint? records = output.HasUnreadParts ? null : context.DataRecords;
        output.Decoder.Observe(new(FlowProtocol.Ipfix, output.Exporter, domain, null, output.Port), RecordWindow, sequence, records, null);
    }

    private static void DecodeSets(ref FlowReader r, Context context)
    {
        bool isIpfix = context.Protocol == FlowProtocol.Ipfix;
        int templates = isIpfix ? 2 : 0;
        while (r.Remaining >= 4)
        {
            int id = r.UInt16();
            int length = r.UInt16();
            if (length < 4 || length - 4 > r.Remaining)
            {
                context.Output.Refuse(length < 4 ? FlowStatus.BadLength : FlowStatus.Truncated);
                return;
            }

            var set = new FlowReader(r.Take((uint)length - 4));
            if (id >= MinDataSetId)
            {
                DecodeData((ushort)id, ref set, context);
            }
            else if (id == templates || id == templates + 1)
            {
                DecodeTemplates(ref set, isOptions: id != templates, context);
            }
            else
            {
                context.Output.Refuse(FlowStatus.ReservedSet);
            }
        }

        if (r.Remaining != 0)
        {
            context.Output.Refuse(FlowStatus.Truncated);
        }
    }

    private static void DecodeTemplates(ref FlowReader set, bool isOptions, Context context)
    {
        bool isIpfix = context.Protocol == FlowProtocol.Ipfix;
        FlowDecoder decoder = context.Output.Decoder;
        // Less than a header is padding.
        while (set.Remaining >= 4)
        {
            int id = set.UInt16();
            int count = set.UInt16();
            int scopes = 0;
            if (isIpfix && count == 0)
            {
                Withdraw(id, isOptions, context);
                continue;
            }

            if (!isIpfix && id < MinDataSetId)
            {
                // Version 9 pads with zeros to any length.
                if (id != 0 || count != 0)
                {
                    context.Output.Refuse(FlowStatus.BadTemplate);
                }

                return;
            }

            if (isOptions)
            {
                // IPFIX counts all fields, then the scopes among them; version 9 gives octets of scopes, then of options.
                int second = set.UInt16();
                scopes = isIpfix ? second : count / 4;
                count = isIpfix ? count : scopes + second / 4;
            }

            if (set.Failed || count > set.Remaining / 4)
            {
                context.Output.Refuse(FlowStatus.Truncated);
                return;
            }

            if (!TryReadFields(ref set, count, isIpfix ? 0 : scopes, isIpfix, out FlowTemplate.Field[] fields, out int minBytes))
            {
                context.Output.Refuse(FlowStatus.Truncated);
                return;
            }

            FlowStatus status = count > decoder.Options.MaxFieldsPerTemplate ? FlowStatus.TemplateTooLarge
                : id < MinDataSetId || minBytes == 0 || scopes > count || (isIpfix && isOptions && scopes == 0) ? FlowStatus.BadTemplate
                : decoder.Templates.TryStore(context.Key((ushort)id), new(fields, isOptions, minBytes, context.Output.Now)) ? FlowStatus.Decoded
                : FlowStatus.TemplateCacheFull;
            if (status != FlowStatus.Decoded)
            {
                // The old meaning of the id is no longer what the exporter sends.
                decoder.Templates.Remove(context.Key((ushort)id));
                context.Output.Refuse(status);
            }
        }
    }

    private static void Withdraw(int id, bool isOptions, Context context)
    {
        TemplateCache templates = context.Output.Decoder.Templates;
        if (id >= MinDataSetId)
        {
            templates.Remove(context.Key((ushort)id));
        }
        else if (id == (isOptions ? 3 : 2))
        {
            templates.RemoveAll(context.Protocol, context.Output.Exporter, context.Domain, isOptions);
        }
        else if (id != 0)
        {
            context.Output.Refuse(FlowStatus.BadTemplate);
        }
    }

    private static bool TryReadFields(ref FlowReader set, int count, int unnamed, bool isIpfix, out FlowTemplate.Field[] fields, out int minBytes)
    {
        fields = new FlowTemplate.Field[count];
        minBytes = 0;
        for (int i = 0; i < count; i++)
        {
            ushort element = set.UInt16();
            ushort length = set.UInt16();
            if (isIpfix && (element & 0x8000) != 0)
            {
                set.UInt32();
                element = 0;
            }

            fields[i] = new(i < unnamed ? (ushort)0 : element, length);
            minBytes += isIpfix && length == FlowTemplate.Variable ? 1 : length;
        }

        return !set.Failed;
    }

    private static void DecodeData(ushort id, ref FlowReader set, Context context)
    {
        FlowOutput output = context.Output;
        if (output.Decoder.Templates.Find(context.Key(id), output.Now) is not { } template)
        {
            output.Refuse(FlowStatus.TemplateUnknown);
            return;
        }

        // Less than the shortest record is padding.
        while (set.Remaining >= template.MinBytes)
        {
            var record = default(DataRecord);
            foreach (FlowTemplate.Field field in template.Fields)
            {
                record.Take(field.Element, set.Take(Length(ref set, field.Length, context.Protocol)));
            }

            if (set.Failed)
            {
                output.Refuse(FlowStatus.Truncated);
                return;
            }

            context.DataRecords++;
            var sampler = new SamplerCache.Key(context.Protocol, output.Exporter, context.Domain, record.Selector);
            if (template.IsOptions)
            {
                if (record.Interval != 0 && !output.Decoder.Samplers.TryStore(sampler, record.Interval, output.Now))
                {
                    output.Statistics.StateRefused++;
                }
            }
            else if (record.TryBuild(context.Uptime, context.BootMilliseconds, out FlowRecord flow))
            {
                output.Add(flow with
                {
                    Protocol = context.Protocol,
                    Exporter = output.Exporter,
                    Domain = context.Domain,
                    SamplingInterval = record.Interval != 0 ? record.Interval : output.Decoder.Samplers.Find(sampler, output.Now),
                });
            }
            else
            {
                output.Refuse(FlowStatus.NoDestination);
            }
        }
    }

    /// <summary>One octet tells a variable length, or 255 and two more (RFC 7011 section 7).</summary>
    private static uint Length(ref FlowReader set, ushort length, FlowProtocol protocol)
    {
        if (length != FlowTemplate.Variable || protocol != FlowProtocol.Ipfix)
        {
            return length;
        }

        byte first = set.Byte();
        return first == byte.MaxValue ? set.UInt16() : first;
    }

    /// <summary>What all sets of a datagram share.</summary>
    private sealed class Context(FlowOutput output, FlowProtocol protocol, uint domain, uint? uptime, long? bootMilliseconds)
    {
        public FlowOutput Output => output;

        public FlowProtocol Protocol => protocol;

        public uint Domain => domain;

        public uint? Uptime => uptime;

        public long? BootMilliseconds => bootMilliseconds;

        public uint DataRecords { get; set; }

        public TemplateCache.Key Key(ushort id) => new(protocol, output.Exporter, domain, id);
    }
}
